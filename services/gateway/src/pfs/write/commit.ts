import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { BranchRef, Caller, CommitRef, CommitSummary, FileEdit, FileSummary, RepoRef } from '../../pachd/model.ts';
import { Failure } from '../failure.ts';
import type { BranchState } from '../state.ts';
import type { Change } from './change.ts';

/** How many commits of others may have come between the look and the commit. */
const CHAIN_MAX = 1_000;

interface Committed {
  readonly commitId: string;
  readonly committedMs: number;
}

/** What became of changes: they are in a commit, or were spoilt by what others did to the branch meanwhile. */
export type CommitOutcome =
  | ({ readonly kind: 'committed' } & Committed)
  | { readonly kind: 'spoilt'; readonly why: string };

export type Committer = ReturnType<typeof createCommitter>;

export function createCommitter(pachd: Pachd) {
  return {
    /**
     * Writes all changes, together. On a branch whose head is finished they are one commit, and its finish is waited for, so that
     * it is known to be good. On somebody's open head they go into that commit, and share its fate.
     * @throws PachdError; nothing is known then of what became of the changes
     */
    async commit(
      caller: Caller,
      branch: BranchRef,
      looked: BranchState,
      changes: readonly Change[],
    ): Promise<CommitOutcome> {
      const edits = changes.flatMap(editsOf);
      if (looked.open) return join(caller, { ...repoOf(branch), commitId: looked.headId }, edits);
      await pachd.modifyFile(caller, branch, edits);
      const { headId } = await pachd.inspectBranch(caller, branch);
      return settle(caller, branch, looked.headId, headId, changes);
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
    return { kind: 'committed', commitId: commit.commitId, committedMs: Date.now() };
  }

  /**
   * Finds the commit that holds the changes, among all since the one that was looked at, and waits until they are finished. If
   * each was made in one go and is good, one of them is ours. Else the content tells: a commit may have failed, or somebody's open
   * one was there when ours began and was finished under it, which loses what was sent.
   */
  async function settle(
    caller: Caller,
    branch: BranchRef,
    lookedHeadId: string,
    headId: string,
    changes: readonly Change[],
  ): Promise<CommitOutcome> {
    const refOf = (commitId: string): CommitRef => ({ ...repoOf(branch), commitId });
    const chain: CommitSummary[] = [];
    for (let id: string | undefined = headId; id !== undefined && id !== lookedHeadId; ) {
      if (chain.length === CHAIN_MAX) throw new Failure('busy', 'too many other commits came between');
      const commit: CommitSummary = await pachd.inspectCommit(caller, refOf(id), 'no');
      chain.push(commit.state === 'finishing' ? await pachd.inspectCommit(caller, refOf(id), 'finished') : commit);
      id = commit.parentId;
    }
    const newest = chain.find(({ error }) => error === '');
    if (newest !== undefined) {
      const sure = chain.every(({ oneOff, error }) => oneOff && error === '');
      const { id: commitId, finishedMs } = newest;
      if (sure || (await holds(caller, refOf(commitId), changes))) {
        return { kind: 'committed', commitId, committedMs: finishedMs ?? Date.now() };
      }
    }
    return { kind: 'spoilt', why: chain.find(({ error }) => error !== '')?.error ?? 'the changes are in no commit' };
  }

  async function holds(caller: Caller, commit: CommitRef, changes: readonly Change[]): Promise<boolean> {
    for (const change of changes) {
      if (!isAsWritten(change, await pachd.statFile(caller, commit, change.path))) return false;
    }
    return true;
  }
}

function isAsWritten(change: Change, found: FileSummary | undefined): boolean {
  if (change.kind === 'delete') return found === undefined;
  if (found === undefined) return false;
  if (change.kind === 'copy') return Buffer.compare(found.hash, change.hash) === 0;
  return change.content.kind === 'memory'
    ? Buffer.compare(found.hash, change.content.hash) === 0
    : found.sizeBytes === change.content.sizeBytes;
}

function repoOf({ project, repo }: BranchRef): RepoRef {
  return { project, repo };
}

/** add_file appends, so what is there is deleted first. */
function editsOf(change: Change): readonly FileEdit[] {
  const { path } = change;
  switch (change.kind) {
    case 'delete':
      return [{ kind: 'delete', path }];
    case 'copy':
      return [
        { kind: 'delete', path },
        { kind: 'copy', path, source: change.source, sourcePath: change.sourcePath },
      ];
    case 'put':
      return [
        { kind: 'delete', path },
        change.content.kind === 'memory'
          ? { kind: 'add', path, content: change.content.bytes }
          : { kind: 'copy', path, source: { fileSetId: change.content.fileSetId }, sourcePath: change.content.path },
      ];
  }
}
