import type { Turn } from '../../cache/shared.ts';
import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import { type Caller, type CommitRef, detached } from '../../pachd/model.ts';
import { type BucketRef, bucketName } from '../bucket.ts';
import type { Disposal } from '../disposal.ts';
import { Failure, failureOf } from '../failure.ts';
import type { Files } from '../files.ts';
import type { Delta, DeltaEntry } from '../overlay.ts';
import type { Branches, BucketView, States } from '../state.ts';
import type { Change, Submission, WriteOutcome } from './change.ts';
import type { CommitOutcome, Committer } from './commit.ts';
import { deltaEntryOf, knownHash } from './edits.ts';
import type { Judge } from './judge.ts';
import type { OpenChanges } from './open-changes.ts';
import { patiently } from './patience.ts';
import type { PutBack } from './put-back.ts';
import type { Watch } from './watch.ts';

/** One request's part of a round, and how it is answered. */
export interface Waiting {
  readonly submission: Submission;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** What of a round goes on after it was judged. */
interface Going {
  readonly waiting: Waiting;
  readonly changes: readonly Change[];
}

export interface RoundParts {
  readonly pachd: Pachd;
  readonly branches: Branches;
  readonly states: States;
  readonly files: Files;
  readonly judge: Judge;
  readonly committer: Committer;
  readonly putBack: PutBack;
  readonly watch: Watch;
  readonly openChanges: OpenChanges;
  readonly disposal: Disposal;
  /** Whether a write is acknowledged when its commit is durable (and readable by its delta), or only when it is finished. */
  readonly acknowledge: 'durable' | 'finished';
}

/**
 * How long a hash is waited for. The write is durable by then: who was told to come again would write the same once more, and an
 * object of thousands of parts takes minutes to finish.
 */
const HASH_MAX_MS = 3_600_000;

/** How often a round is made again when what others committed meanwhile has spoilt it. */
const AGAIN_MAX = 5;

/** How far a round has come: whether its turn is ended, and whether what is believed of the branch may be wrong by it. */
interface Progress {
  published: boolean;
  written: boolean;
}

/**
 * The steps of a round: turn, look, judge, commit, know, publish, answer. Every request of it is answered when it resolves.
 * It never rejects.
 */
export async function makeRound(parts: RoundParts, bucket: BucketRef, round: readonly Waiting[]): Promise<void> {
  const progress: Progress = { published: false, written: false };
  const turn = await parts.branches.takeTurn(bucketName(bucket));
  let alone: readonly Waiting[] = [];
  try {
    alone = await attempt(parts, turn, progress, bucket, round, 0);
  } catch (error) {
    for (const { reject } of round) reject(error);
  } finally {
    // Nothing is believed of a branch that may have been written.
    if (!progress.published) await turn.end(progress.written ? 'written' : 'untouched');
  }
  for (const waiting of alone) await makeRound(parts, bucket, [waiting]);
}

/** Gives those that pachd refused together, and that are each to be tried once alone. */
async function attempt(
  parts: RoundParts,
  turn: Turn<Delta>,
  progress: Progress,
  bucket: BucketRef,
  round: readonly Waiting[],
  count: number,
): Promise<readonly Waiting[]> {
  if (round.length === 0) return [];
  const caller = callerOf(round);
  const conditional = round.some(({ submission }) => submission.precondition !== undefined);
  const view = await look(parts, turn, caller, bucket, conditional ? 'pinned' : 'loose');
  const going = await judged(parts, round, view);
  const waiting = going.map((one) => one.waiting);
  const changes = going.flatMap((one) => one.changes);
  if (changes.length === 0) {
    for (const { resolve } of waiting) resolve(unchanged(view));
    return [];
  }
  const again = async (those: readonly Waiting[]): Promise<readonly Waiting[]> => {
    await parts.states.invalidate(bucket);
    return attempt(parts, turn, progress, bucket, those, count + 1);
  };
  let outcome: CommitOutcome;
  progress.written = true;
  try {
    outcome = await parts.committer.commit(caller, bucket, view, changes);
  } catch (error) {
    if (view.open) parts.openChanges.forget(view);
    // Somebody's open commit is being finished at this moment; nothing was done.
    if (isPachdError(error, 'commit-unfinished') && count < AGAIN_MAX) return again(waiting);
    if (waiting.length > 1 && isPachdError(error, 'invalid-path', 'file-set-gone', 'unexpected')) return waiting;
    throw error;
  }
  switch (outcome.kind) {
    case 'next':
      progress.published = true;
      await publish(parts, turn, caller, bucket, outcome, going);
      return [];
    case 'joined':
      // What is believed of the branch stays true if it is that this commit is open.
      if (view.open) {
        progress.written = false;
        await parts.openChanges.wrote(view, changes);
      } else {
        await parts.states.invalidate(bucket);
      }
      await answer(parts, bucket, outcome, going);
      return [];
    case 'finished': {
      const standing = await judgedAgain(parts, caller, bucket, view, outcome, going);
      await parts.states.invalidate(bucket);
      await answer(parts, bucket, outcome, standing);
      return [];
    }
    case 'spoilt':
      // A condition is not judged twice for a write that may have been there for a moment.
      for (const { submission, reject } of waiting) {
        if (submission.precondition !== undefined) reject(new Failure('conflict', 'others wrote at the same moment'));
      }
      if (count < AGAIN_MAX) return again(waiting.filter(({ submission }) => submission.precondition === undefined));
      throw new Failure('conflict', `others keep spoiling the commit: ${outcome.why}`);
  }
}

/** The state as every later reader sees it at least: it is read again after the head was pinned. */
async function look(
  { states }: RoundParts,
  turn: Turn<Delta>,
  caller: Caller,
  bucket: BucketRef,
  pin: 'pinned' | 'loose',
): Promise<BucketView> {
  for (;;) {
    const view = await states.view(caller, bucket);
    if (view.derived) throw new Failure('output-branch', `${bucketName(bucket)} is the output of a pipeline`);
    if (bucket.commitId !== undefined && !view.open) throw new Failure('commit-is-read-only', 'the commit is finished');
    await turn.judge(view.headId, pin);
    if (pin === 'loose' || (await states.view(caller, bucket)).headId === view.headId) return view;
  }
}

/** Answers what is refused now; gives what goes on. */
async function judged({ judge }: RoundParts, round: readonly Waiting[], view: BucketView): Promise<readonly Going[]> {
  const submissions = round.map(({ submission }) => submission);
  await judge.prepare(callerOf(round), submissions, view);
  const verdicts = await Promise.all(
    round.map(async (waiting) => {
      try {
        return { waiting, verdict: await judge.judge(waiting.submission, view) };
      } catch (error) {
        waiting.reject(error);
        return undefined;
      }
    }),
  );
  const going: Going[] = [];
  for (const judgement of verdicts) {
    if (judgement === undefined) continue;
    const { waiting, verdict } = judgement;
    if (verdict.kind === 'refused') waiting.reject(verdict.why);
    else going.push({ waiting, changes: verdict.changes });
  }
  return going;
}

/**
 * Others came between: the conditions are judged once more where the commit really stands. What does not hold there is put back.
 * Gives what stands.
 */
async function judgedAgain(
  { states, judge, putBack }: RoundParts,
  caller: Caller,
  bucket: BucketRef,
  view: BucketView,
  { own }: CommitOutcome & { kind: 'finished' },
  going: readonly Going[],
): Promise<readonly Going[]> {
  if (own?.parentId === view.headId) return going;
  const standing: Going[] = [];
  for (const one of going) {
    const { waiting, changes } = one;
    if (waiting.submission.precondition === undefined) {
      standing.push(one);
      continue;
    }
    if (own === undefined) {
      waiting.reject(new Failure('unavailable', 'others wrote the same at the same moment'));
      continue;
    }
    const { parentId } = own;
    const { parent, verdict } = await patiently(async () => {
      const parent = await states.goodVersion(caller, view, parentId);
      return { parent, verdict: await judge.judge(waiting.submission, parent) };
    });
    if (verdict.kind === 'go') {
      standing.push(one);
      continue;
    }
    const before = parent.commit ?? { project: bucket.project, repo: bucket.repo, commitId: own.parentId };
    await putBack.putBack(caller, bucket, changes, before);
    waiting.reject(new Failure('conflict', 'somebody wrote the object at the same moment'));
  }
  return standing;
}

/** Makes the commit known with what it changed, so that it can be read at once, and answers. */
async function publish(
  parts: RoundParts,
  turn: Turn<Delta>,
  caller: Caller,
  bucket: BucketRef,
  { commitId, committedMs }: { readonly commitId: string; readonly committedMs: number },
  going: readonly Going[],
): Promise<void> {
  const commit: CommitRef = { project: bucket.project, repo: bucket.repo, commitId };
  const entries = new Map<string, DeltaEntry>();
  for (const change of going.flatMap(({ changes }) => changes)) {
    entries.set(change.path, deltaEntryOf(change, commitId, committedMs));
    if (change.kind === 'put' && change.content.kind === 'memory') {
      parts.files.prime(commit, change.path, change.content.hash, change.content.bytes);
    }
  }
  parts.watch.follow(bucketName(bucket), caller, commit);
  await turn.publish(commitId, { entries });
  if (parts.acknowledge === 'finished') await parts.states.finished(caller, commit);
  // Answers that need a hash from pachd wait for the finish; the next round does not wait for them.
  void answer(parts, bucket, { commitId, committedMs }, going);
}

async function answer(
  { pachd }: RoundParts,
  bucket: BucketRef,
  { commitId, committedMs }: { readonly commitId: string; readonly committedMs: number },
  going: readonly Going[],
): Promise<void> {
  const commit: CommitRef = { project: bucket.project, repo: bucket.repo, commitId };
  await Promise.all(
    going.map(async ({ waiting, changes }) => {
      try {
        const hashes = new Map<string, Uint8Array>();
        for (const change of changes) {
          const hash = knownHash(change) ?? (change.kind === 'put' ? await askHash(waiting, change.path) : undefined);
          if (hash !== undefined) hashes.set(change.path, hash);
        }
        waiting.resolve({ commitId, committedMs, hashes });
      } catch (error) {
        waiting.reject(failureOf(error) ?? error);
      }
    }),
  );

  async function askHash({ submission: { caller } }: Waiting, path: string): Promise<Uint8Array> {
    for (const endMs = Date.now() + HASH_MAX_MS; ; ) {
      try {
        // A finishing commit answers when it is finished.
        const found = await patiently(() => pachd.statFile(caller, commit, path));
        if (found === undefined) throw new Failure('conflict', `${path} was written over by somebody else at once`);
        return found.hash;
      } catch (error) {
        if (!isPachdError(error, 'deadline') || Date.now() > endMs) throw error;
      }
    }
  }
}

function unchanged(view: BucketView): WriteOutcome {
  return { commitId: view.headId, committedMs: view.commitMs, hashes: new Map() };
}

/** The round's calls serve all of it. */
function callerOf(round: readonly Waiting[]): Caller {
  const first = round[0];
  if (first === undefined) throw new RangeError('a round without a request');
  return detached(first.submission.caller);
}
