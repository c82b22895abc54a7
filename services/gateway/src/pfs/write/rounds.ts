import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { CommitRef } from '../../pachd/model.ts';
import { type BucketRef, bucketName } from '../bucket.ts';
import { Failure, failureOf } from '../failure.ts';
import { foldersAbove } from '../key.ts';
import type { BranchState, States } from '../state.ts';
import type { Change, Submission, WriteOutcome } from './change.ts';
import type { Committer } from './commit.ts';
import type { Judge } from './judge.ts';

/** What one round may hold; what is over waits for the next. */
const ROUND_CHANGES_MAX = 1_024;
const ROUND_BYTES_MAX = 32 << 20;
/** What may wait for a branch; past it clients are told to slow down. */
const QUEUE_MAX = 4_096;
/** How often a round is made again when what others committed meanwhile has spoilt it. */
const SPOILT_MAX = 3;

interface Waiting {
  readonly submission: Submission;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface Rounds {
  /** Makes a submission's changes, in one commit with others of the same branch and principal. Resolves when it is finished. */
  submit(submission: Submission): Promise<WriteOutcome>;
}

/**
 * Who goes together: the writes of a branch wait while a round is under way, and then go as one commit. One round at a time
 * writes to a branch, so what was judged stays true but for commits that are made outside of this worker.
 */
export function createRounds(pachd: Pachd, states: States, judge: Judge, committer: Committer): Rounds {
  const queues = new Map<string, Waiting[]>();

  const run = async (key: string, bucket: BucketRef): Promise<void> => {
    for (let queue = queues.get(key); queue !== undefined && queue.length > 0; queue = queues.get(key)) {
      const round = takeRound(queue);
      try {
        await settle(bucket, round);
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    queues.delete(key);
  };

  return {
    submit(submission) {
      const key = `${submission.bucket.commitId ?? ''} ${bucketName(submission.bucket)}`;
      const queue = queues.get(key);
      if (queue !== undefined && queue.length >= QUEUE_MAX) {
        return Promise.reject(new Failure('busy', 'too many writes wait for the branch'));
      }
      return new Promise((resolve, reject) => {
        const waiting = { submission, resolve, reject };
        if (queue !== undefined) queue.push(waiting);
        else {
          queues.set(key, [waiting]);
          void run(key, submission.bucket);
        }
      });
    },
  };

  async function settle(bucket: BucketRef, round: readonly Waiting[]): Promise<void> {
    let left = round;
    for (let attempt = 0; left.length > 0; attempt++) {
      const caller = callerOf(left);
      const state = await states.look(caller, bucket);
      if (state.derived) throw new Failure('output-branch', `${bucketName(bucket)} is the output of a pipeline`);
      if (bucket.commitId !== undefined && !state.open)
        throw new Failure('commit-is-read-only', 'the commit is finished');
      const going = await judged(left, state);
      const changes = going.flatMap(({ changes }) => changes);
      if (changes.length === 0) {
        for (const { waiting } of going) waiting.resolve(unchanged(state));
        return;
      }
      let outcome: Awaited<ReturnType<Committer['commit']>>;
      try {
        outcome = await committer.commit(caller, bucket, state, changes);
      } catch (error) {
        await states.invalidate(bucket);
        // Somebody's open commit is being finished at this moment; nothing was done.
        if (isPachdError(error, 'commit-unfinished') && attempt < SPOILT_MAX) {
          left = going.map(({ waiting }) => waiting);
          continue;
        }
        // What pachd refuses because of one entry is taken apart: each is then tried once alone.
        if (going.length > 1 && isPachdError(error, 'invalid-path', 'file-set-gone', 'unexpected')) {
          for (const { waiting } of going) await settleAlone(bucket, waiting);
          return;
        }
        throw error;
      }
      await states.invalidate(bucket);
      if (outcome.kind === 'committed') {
        const commit = { project: bucket.project, repo: bucket.repo, commitId: outcome.commitId };
        const { committedMs } = outcome;
        await Promise.all(going.map(({ waiting, changes }) => answer(waiting, commit, committedMs, changes)));
        return;
      }
      if (attempt === SPOILT_MAX) throw new Failure('conflict', `others keep spoiling the commit: ${outcome.why}`);
      left = going.map(({ waiting }) => waiting);
    }
  }

  async function settleAlone(bucket: BucketRef, waiting: Waiting): Promise<void> {
    try {
      await settle(bucket, [waiting]);
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** Answers what is refused now; gives what goes on. */
  async function judged(round: readonly Waiting[], state: BranchState) {
    const verdicts = await Promise.all(
      round.map(async (waiting) => {
        try {
          return { waiting, verdict: await judge.judge(waiting.submission, state) };
        } catch (error) {
          waiting.reject(error);
          return undefined;
        }
      }),
    );
    const going: { readonly waiting: Waiting; readonly changes: readonly Change[] }[] = [];
    for (const judgement of verdicts) {
      if (judgement === undefined) continue;
      const { waiting, verdict } = judgement;
      if (verdict.kind === 'refused') waiting.reject(verdict.why);
      else going.push({ waiting, changes: verdict.changes });
    }
    return going;
  }

  async function answer(
    waiting: Waiting,
    commit: CommitRef,
    committedMs: number,
    changes: readonly Change[],
  ): Promise<void> {
    try {
      const hashes = new Map<string, Uint8Array>();
      for (const change of changes) {
        const hash =
          knownHash(change) ?? (change.kind === 'put' ? await askHash(waiting, commit, change.path) : undefined);
        if (hash !== undefined) hashes.set(change.path, hash);
      }
      waiting.resolve({ commitId: commit.commitId, committedMs, hashes });
    } catch (error) {
      waiting.reject(failureOf(error) ?? error);
    }
  }

  async function askHash({ submission }: Waiting, commit: CommitRef, path: string): Promise<Uint8Array> {
    const found = await pachd.statFile(submission.caller, commit, path);
    if (found === undefined) throw new Failure('conflict', `${path} was written over by somebody else at once`);
    return found.hash;
  }
}

function unchanged(state: BranchState): WriteOutcome {
  return { commitId: state.headId, committedMs: state.commitMs, hashes: new Map() };
}

function knownHash(change: Change): Uint8Array | undefined {
  if (change.kind === 'copy') return change.hash;
  return change.kind === 'put' && change.content.kind === 'memory' ? change.content.hash : undefined;
}

/** The round's calls go on even if the client of one of its writes goes away: they serve the others, and end by their deadlines. */
function callerOf(round: readonly Waiting[]) {
  return { token: round[0]?.submission.caller.token, signal: NEVER };
}

const NEVER = new AbortController().signal;

/**
 * Takes from the queue's front what can be one commit: of one principal, no key twice, no key below another's, within the
 * limits. What does not fit keeps its place, and so does all that comes after it on the same key.
 */
function takeRound(queue: Waiting[]): readonly Waiting[] {
  const round: Waiting[] = [];
  const kept: Waiting[] = [];
  const taken = new Set<string>();
  const foldersTaken = new Set<string>();
  const passedOver = new Set<string>();
  const principalId = queue[0]?.submission.principalId;
  let changes = 0;
  let bytes = 0;
  for (const waiting of queue) {
    const { submission } = waiting;
    const size = submission.changes.reduce((sum, change) => sum + bytesOf(change), 0);
    const paths = submission.changes.map(({ path }) => path);
    const clashes = paths.some(
      (path) =>
        taken.has(path) ||
        passedOver.has(path) ||
        foldersTaken.has(path) ||
        foldersAbove(path).some((above) => taken.has(above)),
    );
    const fits = changes + paths.length <= ROUND_CHANGES_MAX && bytes + size <= ROUND_BYTES_MAX;
    if (round.length > 0 && (clashes || !fits || submission.principalId !== principalId)) {
      kept.push(waiting);
      for (const path of paths) passedOver.add(path);
      continue;
    }
    round.push(waiting);
    changes += paths.length;
    bytes += size;
    for (const path of paths) {
      taken.add(path);
      for (const above of foldersAbove(path)) foldersTaken.add(above);
    }
  }
  queue.splice(0, queue.length, ...kept);
  return round;
}

function bytesOf(change: Change): number {
  return change.kind === 'put' && change.content.kind === 'memory' ? change.content.bytes.length : 0;
}
