import { CacheLost } from '../../cache/script.ts';
import type { Turn } from '../../cache/shared.ts';
import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import { type Caller, type CommitRef, detached } from '../../pachd/model.ts';
import { type BucketRef, bucketName } from '../bucket.ts';
import type { Disposal } from '../disposal.ts';
import { Failure, finishedCommit } from '../failure.ts';
import type { Files } from '../files.ts';
import type { Delta, DeltaEntry } from '../overlay.ts';
import type { Branches, BucketView, States } from '../state.ts';
import { answer, type Going, type Made, type Waiting } from './answer.ts';
import type { WriteOutcome } from './change.ts';
import type { CommitOutcome, Committer } from './commit.ts';
import { deltaEntryOf } from './edits.ts';
import type { Judge } from './judge.ts';
import { judgedAgain } from './judge-again.ts';
import type { OpenChanges } from './open-changes.ts';
import { patiently } from './patience.ts';
import type { PutBack } from './put-back.ts';
import type { Watch } from './watch.ts';

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

/** How often a round is made again when what others committed meanwhile has spoilt it, or when its turn was lost. */
const AGAIN_MAX = 5;

/** How far a round has come. */
interface Progress {
  /** The turn; undefined: the shared cache is lost, and the round goes on without it. */
  turn: Turn<Delta> | undefined;
  /** Whether what is believed of the branch may be wrong by it. */
  written: boolean;
}

/** What is left of a round: what is to be tried once more, each alone or all of it. */
interface Rest {
  readonly alone: readonly Waiting[];
  readonly again: readonly Waiting[];
}

const NOTHING: Rest = { alone: [], again: [] };

/**
 * The steps of a round: turn, look, judge, commit, know, publish, answer. Every request of it is answered when it resolves.
 * It never rejects.
 */
export async function makeRound(
  parts: RoundParts,
  bucket: BucketRef,
  round: readonly Waiting[],
  count = 0,
): Promise<void> {
  const progress: Progress = { turn: undefined, written: false };
  let rest = NOTHING;
  try {
    if (count > AGAIN_MAX) throw new Failure('conflict', 'others keep coming between');
    progress.turn = await takeTurn(parts, bucket);
    rest = await attempt(parts, progress, bucket, round);
  } catch (error) {
    for (const { reject } of round) reject(error);
  }
  // Nothing is believed of a branch that may have been written.
  await progress.turn?.end(progress.written ? 'written' : 'untouched').catch(ignoreLost);
  for (const waiting of rest.alone) await makeRound(parts, bucket, [waiting], count);
  if (rest.again.length > 0) await makeRound(parts, bucket, rest.again, count + 1);
}

/** undefined: the shared cache is lost, and so is the order that it keeps. @throws Failure busy */
async function takeTurn({ branches }: RoundParts, bucket: BucketRef): Promise<Turn<Delta> | undefined> {
  try {
    const turn = await branches.takeTurn(bucketName(bucket));
    if (turn === undefined) throw new Failure('busy', 'others write to the branch without a pause');
    return turn;
  } catch (error) {
    if (error instanceof CacheLost) return undefined;
    throw error;
  }
}

async function attempt(
  parts: RoundParts,
  progress: Progress,
  bucket: BucketRef,
  round: readonly Waiting[],
): Promise<Rest> {
  const caller = callerOf(round);
  const conditional = round.some(isConditional);
  const view = await look(parts, progress, caller, bucket, conditional);
  if (view === 'turn lost') return { alone: [], again: round };
  if (view.open) await notice(parts, progress, view);
  const going = await judged(parts, progress.turn === undefined ? refuseConditional(round) : round, view);
  const waiting = going.map((one) => one.waiting);
  const changes = going.flatMap((one) => one.changes);
  if (changes.length === 0) {
    for (const { resolve } of waiting) resolve(unchanged(view));
    return NOTHING;
  }
  // What was judged is certain only as long as nobody else may write.
  if (conditional && progress.turn?.holds() === false) return { alone: [], again: waiting };
  let outcome: CommitOutcome;
  progress.written = true;
  try {
    outcome = await parts.committer.commit(caller, bucket, view, changes);
  } catch (error) {
    if (view.open) parts.openChanges.forget(view);
    // Somebody's open commit is being finished at this moment; nothing was done.
    if (isPachdError(error, 'commit-unfinished')) return again(parts, bucket, waiting);
    if (waiting.length > 1 && isPachdError(error, 'invalid-path', 'file-set-gone', 'unexpected')) {
      return { alone: waiting, again: [] };
    }
    throw error;
  }
  switch (outcome.kind) {
    case 'next':
      if (progress.turn !== undefined && (await publish(parts, progress, caller, bucket, view, outcome, going))) {
        return NOTHING;
      }
      return settle(parts, progress, caller, bucket, outcome, going);
    case 'joined':
      if (view.open) await parts.openChanges.wrote(view, changes);
      // What is believed of the branch stays true if it is that this commit is open.
      if (view.open && progress.turn !== undefined) progress.written = false;
      else await forget(parts, progress, bucket);
      await answer(parts.pachd, bucket, outcome, going);
      return NOTHING;
    case 'finished': {
      const standing = await judgedAgain(parts, caller, bucket, view, outcome, going);
      await forget(parts, progress, bucket);
      await answer(parts.pachd, bucket, outcome, standing);
      return NOTHING;
    }
    case 'spoilt':
      return spoilt(parts, bucket, waiting, outcome.why);
  }
}

/**
 * The state as every later reader sees it at least: for conditional writes it is read again after the head was pinned. Without the
 * shared cache it is what pachd says, and the round goes on without a turn.
 */
async function look(
  { states }: RoundParts,
  progress: Progress,
  caller: Caller,
  bucket: BucketRef,
  conditional: boolean,
): Promise<BucketView | 'turn lost'> {
  const { turn } = progress;
  try {
    for (;;) {
      if (turn === undefined) return writable(bucket, await states.viewAlone(caller, bucket));
      const view = writable(bucket, await states.viewInTurn(caller, bucket));
      if (!conditional) return view;
      if (!(await turn.pin(view.headId))) return 'turn lost';
      if ((await states.viewInTurn(caller, bucket)).headId === view.headId) return view;
    }
  } catch (error) {
    if (!(error instanceof CacheLost)) throw error;
    await turn?.end('untouched').catch(ignoreLost);
    progress.turn = undefined;
    return writable(bucket, await states.viewAlone(caller, bucket));
  }
}

/**
 * What another worker has written into an open commit is looked for in it: it was not known when the commit was looked at first, and what
 * collides with it would lose all that is in the commit. @throws Failure unavailable and CacheLost: nobody can tell
 */
async function notice({ openChanges }: RoundParts, { turn }: Progress, view: BucketView): Promise<void> {
  if (turn === undefined) {
    throw new Failure('unavailable', 'the shared cache cannot be reached, and an open commit needs it');
  }
  if ((await turn.mark(view.headId, openChanges.writer)) !== openChanges.writer) openChanges.forget(view);
}

/** @throws Failure output-branch, commit-is-read-only */
function writable(bucket: BucketRef, view: BucketView): BucketView {
  if (view.derived) throw new Failure('output-branch', `${bucketName(bucket)} is the output of a pipeline`);
  if (bucket.commitId !== undefined && !view.open) throw finishedCommit();
  return view;
}

/** Without a turn nothing can be promised about what others write meanwhile. Gives what goes on. */
function refuseConditional(round: readonly Waiting[]): readonly Waiting[] {
  for (const waiting of round.filter(isConditional)) {
    waiting.reject(new Failure('unavailable', 'the shared cache cannot be reached, and conditions need it'));
  }
  return round.filter((waiting) => !isConditional(waiting));
}

/** Answers what is refused now; gives what goes on. */
async function judged({ judge }: RoundParts, round: readonly Waiting[], view: BucketView): Promise<readonly Going[]> {
  if (round.length === 0) return [];
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
 * Makes the commit known with what it changed, so that it can be read at once, and answers.
 * Gives false when it is not known whether it is known.
 */
async function publish(
  parts: RoundParts,
  progress: Progress,
  caller: Caller,
  bucket: BucketRef,
  view: BucketView,
  made: Made,
  going: readonly Going[],
): Promise<boolean> {
  const commit = commitOf(bucket, made);
  const entries = new Map<string, DeltaEntry>();
  for (const change of going.flatMap(({ changes }) => changes)) {
    entries.set(change.path, deltaEntryOf(change, made.commitId, made.committedMs));
    if (change.kind === 'put' && change.content.kind === 'memory') {
      parts.files.prime(commit, change.path, change.content.hash, change.content.bytes);
    }
  }
  parts.watch.follow(bucketName(bucket), caller, commit);
  try {
    await progress.turn?.publish(view.headId, made.commitId, { entries });
  } catch (error) {
    if (error instanceof CacheLost) return false;
    throw error;
  }
  progress.turn = undefined;
  if (parts.acknowledge === 'finished') await parts.states.finished(caller, commit);
  // Answers that need a hash from pachd wait for the finish; the next round does not wait for them.
  void answer(parts.pachd, bucket, made, going);
  return true;
}

/** What could not be published is answered when it is finished, and nobody can believe any more what was there before. */
async function settle(
  parts: RoundParts,
  progress: Progress,
  caller: Caller,
  bucket: BucketRef,
  made: Made,
  going: readonly Going[],
): Promise<Rest> {
  const { error } = await patiently(() => parts.states.finished(caller, commitOf(bucket, made)));
  const waiting = going.map((one) => one.waiting);
  if (error !== '') return spoilt(parts, bucket, waiting, error);
  await forget(parts, progress, bucket);
  await answer(parts.pachd, bucket, made, going);
  return NOTHING;
}

/** Ends the turn, and with it all that was believed of the branch. */
async function forget(parts: RoundParts, progress: Progress, bucket: BucketRef): Promise<void> {
  const { turn } = progress;
  progress.turn = undefined;
  if (turn === undefined) await parts.states.invalidate(bucket);
  else await parts.states.outlived(() => turn.end('written'));
}

/** Others have spoilt the commit. A condition is not judged twice for a write that may have been there for a moment. */
function spoilt(parts: RoundParts, bucket: BucketRef, waiting: readonly Waiting[], why: string): Promise<Rest> {
  for (const one of waiting.filter(isConditional)) {
    one.reject(new Failure('conflict', `others wrote at the same moment: ${why}`));
  }
  return again(
    parts,
    bucket,
    waiting.filter((one) => !isConditional(one)),
  );
}

async function again({ states }: RoundParts, bucket: BucketRef, waiting: readonly Waiting[]): Promise<Rest> {
  await states.invalidate(bucket);
  return { alone: [], again: waiting };
}

function isConditional({ submission }: Waiting): boolean {
  return submission.precondition !== undefined;
}

function unchanged(view: BucketView): WriteOutcome {
  return { commitId: view.headId, committedMs: view.commitMs, hashes: new Map() };
}

function commitOf({ project, repo }: BucketRef, { commitId }: Made): CommitRef {
  return { project, repo, commitId };
}

/** The round's calls serve all of it. */
function callerOf(round: readonly Waiting[]): Caller {
  const first = round[0];
  if (first === undefined) throw new RangeError('a round without a request');
  return detached(first.submission.caller);
}

/** A turn that cannot be given back runs out. */
function ignoreLost(error: unknown): void {
  if (!(error instanceof CacheLost)) throw error;
}
