import { setTimeout } from 'node:timers/promises';
import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { BranchRef, Caller, CommitRef, CommitSummary, FileEdit, RepoRef } from '../../pachd/model.ts';
import { Failure } from '../failure.ts';
import type { BranchState } from '../resolve.ts';
import type { Change } from './change.ts';
import { editsOf } from './edits.ts';
import { patiently } from './patience.ts';
import { createWritten } from './written.ts';

/** How many commits of others may have come between the look and the commit. */
const CHAIN_MAX = 1_000;
/** For how long it is looked for a ModifyFile whose answer was lost, before nobody is promised anything. */
const LOST_ANSWER_MS = 10_000;
const LOOK_AGAIN_MS = 100;

/** The commit that made changes, and the one it stands on. */
interface Own {
  readonly commitId: string;
  readonly parentId: string;
  readonly committedMs: number;
}

/** What became of changes. */
export type CommitOutcome =
  /** They are the one commit on the head that was looked at. All that it stands on was known, so it cannot fail. */
  | { readonly kind: 'next'; readonly commitId: string; readonly committedMs: number }
  /** They are in a finished commit, and others came between. `own` is that commit, if it can be told from the others. */
  | {
      readonly kind: 'finished';
      readonly commitId: string;
      readonly committedMs: number;
      readonly own: Own | undefined;
    }
  /** They are in somebody's open commit. */
  | { readonly kind: 'joined'; readonly commitId: string; readonly committedMs: number }
  /** They are lost: a commit of others has spoilt them, or was finished under them. They can be made again. */
  | { readonly kind: 'spoilt'; readonly why: string };

export type Committer = ReturnType<typeof createCommitter>;

/** Gets changes to a branch, and finds out what became of them. */
export function createCommitter(pachd: Pachd) {
  const written = createWritten(pachd);

  return {
    /**
     * Writes all changes, together: as one commit, or into somebody's open one.
     * @throws PachdError when pachd refused them, Failure unavailable when it cannot be found out what became of them
     */
    async commit(
      caller: Caller,
      branch: BranchRef,
      looked: BranchState,
      changes: readonly Change[],
    ): Promise<CommitOutcome> {
      const edits = changes.flatMap(editsOf);
      if (looked.open) return join(caller, { ...repoOf(branch), commitId: looked.headId }, edits);
      try {
        await pachd.modifyFile(caller, branch, edits);
      } catch (error) {
        // What never reached a pachd need not be looked for.
        if (isPachdError(error) && error.delivery === 'none') throw error;
        if (isPachdError(error, 'unavailable', 'deadline', 'canceled')) {
          return findLost(caller, branch, looked, changes, error);
        }
        if (!isPachdError(error, 'unexpected')) throw error;
        // The call is over: what it did is there by now, or it did nothing.
        const own = await patiently(() => findNow(caller, branch, looked, changes));
        if (own === undefined) throw error;
        return { kind: 'finished', commitId: own.commitId, committedMs: own.committedMs, own };
      }
      return patiently(() => know(caller, branch, looked, changes));
    },
  };

  /** Not by ModifyFile: it looks at the commit only when its stream begins, and what ends after the commit's finish is lost. */
  async function join(caller: Caller, commit: CommitRef, edits: readonly FileEdit[]): Promise<CommitOutcome> {
    const fileSetId = await pachd.createEditSet(caller, edits);
    try {
      await pachd.addFileSet(caller, commit, fileSetId);
    } catch (error) {
      if (isPachdError(error, 'commit-finished')) return { kind: 'spoilt', why: 'the commit was finished meanwhile' };
      throw error;
    }
    return { kind: 'joined', commitId: commit.commitId, committedMs: Date.now() };
  }

  /** ModifyFile does not say which commit it made: the branch does, and the commit's parent says whether anybody came between. */
  async function know(
    caller: Caller,
    branch: BranchRef,
    looked: BranchState,
    changes: readonly Change[],
  ): Promise<CommitOutcome> {
    const head = await pachd.inspectHead(caller, branch);
    if (head.parentId === looked.headId && head.oneOff) {
      return { kind: 'next', commitId: head.id, committedMs: head.startedMs };
    }
    return settle(caller, branch, looked, head.id, changes);
  }

  /**
   * Waits for all commits since the one that was looked at. If each is good, one of those that were made in one go is ours: which, the
   * content tells, if it is not what was there before. Ours may also have failed.
   */
  async function settle(
    caller: Caller,
    branch: BranchRef,
    looked: BranchState,
    headId: string,
    changes: readonly Change[],
  ): Promise<CommitOutcome> {
    const chain = await commitsSince(caller, branch, looked.headId, headId);
    const own = await findOwn(caller, branch, chain, changes);
    if (own !== undefined) return { kind: 'finished', commitId: own.commitId, committedMs: own.committedMs, own };
    if (chain.every(({ error }) => error === '')) {
      for (const { id: commitId, oneOff, finishedMs } of chain) {
        if (!oneOff || !(await holds(caller, { ...repoOf(branch), commitId }, changes))) continue;
        return { kind: 'finished', commitId, committedMs: finishedMs ?? Date.now(), own };
      }
    }
    return { kind: 'spoilt', why: chain.find(({ error }) => error !== '')?.error ?? 'the changes are in no commit' };
  }

  /** The answer was lost: the changes may be there, may come yet, or may never come. They are not sent again before it is known. */
  async function findLost(
    caller: Caller,
    branch: BranchRef,
    looked: BranchState,
    changes: readonly Change[],
    cause: unknown,
  ): Promise<CommitOutcome> {
    for (const endMs = Date.now() + LOST_ANSWER_MS; Date.now() < endMs; await setTimeout(LOOK_AGAIN_MS)) {
      try {
        const own = await findNow(caller, branch, looked, changes);
        if (own !== undefined) return { kind: 'finished', commitId: own.commitId, committedMs: own.committedMs, own };
      } catch (error) {
        if (!isPachdError(error, 'unavailable', 'deadline')) throw error;
      }
    }
    throw new Failure('unavailable', 'it is not known whether the commit was made', cause);
  }

  /** The commit that made the changes, among those that are there now. */
  async function findNow(
    caller: Caller,
    branch: BranchRef,
    looked: BranchState,
    changes: readonly Change[],
  ): Promise<Own | undefined> {
    const { headId } = await pachd.inspectBranch(caller, branch);
    return findOwn(caller, branch, await commitsSince(caller, branch, looked.headId, headId), changes);
  }

  /** Newest first; each finished, but for an open head. */
  async function commitsSince(
    caller: Caller,
    branch: BranchRef,
    sinceId: string,
    headId: string,
  ): Promise<readonly CommitSummary[]> {
    const chain: CommitSummary[] = [];
    for (let id: string | undefined = headId; id !== undefined && id !== sinceId; ) {
      if (chain.length === CHAIN_MAX) throw new Failure('busy', 'too many other commits came between');
      const ref: CommitRef = { ...repoOf(branch), commitId: id };
      const commit: CommitSummary = await pachd.inspectCommit(caller, ref, 'no');
      chain.push(commit.state === 'finishing' ? await pachd.inspectCommit(caller, ref, 'finished') : commit);
      id = commit.parentId;
    }
    return chain;
  }

  /** The newest commit that made all changes: they hold in it, and not all of them in the one it stands on. */
  async function findOwn(
    caller: Caller,
    branch: BranchRef,
    chain: readonly CommitSummary[],
    changes: readonly Change[],
  ): Promise<Own | undefined> {
    for (const { id: commitId, parentId, error, state, finishedMs } of chain) {
      if (error !== '' || state === 'open' || parentId === undefined) continue;
      const held = await holds(caller, { ...repoOf(branch), commitId }, changes);
      if (held && !(await holds(caller, { ...repoOf(branch), commitId: parentId }, changes))) {
        return { commitId, parentId, committedMs: finishedMs ?? Date.now() };
      }
    }
    return undefined;
  }

  async function holds(caller: Caller, commit: CommitRef, changes: readonly Change[]): Promise<boolean> {
    for (const change of changes) {
      try {
        if (!(await written.isIn(caller, commit, change))) return false;
      } catch (error) {
        // A failed commit answers its failure for the path that collides.
        if (isPachdError(error, 'collision')) return false;
        throw error;
      }
    }
    return true;
  }
}

function repoOf({ project, repo }: BranchRef): RepoRef {
  return { project, repo };
}
