import type { Pachd } from '../../pachd/client.ts';
import type { BranchRef, Caller, CommitRef, CommitSummary, FileEdit } from '../../pachd/model.ts';
import { Failure } from '../failure.ts';
import type { BranchState } from '../state.ts';
import type { Change } from './change.ts';

/** How many commits of others may have come between the look and the commit. */
const CHAIN_MAX = 1_000;

export interface Committed {
  readonly commitId: string;
  readonly finishedMs: number;
}

/** What became of a ModifyFile: it is in a finished commit, or it was spoilt by what others committed meanwhile. */
export type CommitOutcome =
  | ({ readonly kind: 'finished' } & Committed)
  | { readonly kind: 'spoilt'; readonly error: string };

export type Committer = ReturnType<typeof createCommitter>;

export function createCommitter(pachd: Pachd) {
  return {
    /**
     * Writes all changes as one commit, and waits until it is finished, so that it is known to be good.
     * @throws PachdError; nothing is known then of what became of the changes
     */
    async commit(
      caller: Caller,
      branch: BranchRef,
      looked: BranchState,
      changes: readonly Change[],
    ): Promise<CommitOutcome> {
      await pachd.modifyFile(caller, branch, changes.flatMap(editsOf));
      const { headId } = await pachd.inspectBranch(caller, branch);
      return settle(caller, branch, looked.headId, headId, changes);
    },
  };

  /** Waits for every commit since the one that was looked at. If one of them failed it may be ours: then the content tells. */
  async function settle(
    caller: Caller,
    branch: BranchRef,
    lookedHeadId: string,
    headId: string,
    changes: readonly Change[],
  ): Promise<CommitOutcome> {
    const refOf = (commitId: string): CommitRef => ({ project: branch.project, repo: branch.repo, commitId });
    const chain: CommitSummary[] = [];
    for (let id: string | undefined = headId; id !== undefined && id !== lookedHeadId; ) {
      if (chain.length === CHAIN_MAX) throw new Failure('busy', 'too many other commits came between');
      const head: CommitSummary = await pachd.inspectCommit(caller, refOf(id), 'no');
      if (head.state === 'open') return { kind: 'finished', commitId: head.id, finishedMs: Date.now() };
      const commit: CommitSummary = head.state === 'finished' ? head : await pachd.inspectCommit(caller, refOf(id), 'finished');
      chain.push(commit);
      id = commit.parentId;
    }
    const good = chain.find((commit) => commit.error === '');
    const failed = chain.find((commit) => commit.error !== '');
    if (good !== undefined && (failed === undefined || (await holds(caller, refOf(good.id), changes)))) {
      return { kind: 'finished', commitId: good.id, finishedMs: good.finishedMs ?? Date.now() };
    }
    if (failed !== undefined) return { kind: 'spoilt', error: failed.error };
    throw new Failure('unexpected', `the branch is back at ${lookedHeadId} after a write`);
  }

  async function holds(caller: Caller, commit: CommitRef, changes: readonly Change[]): Promise<boolean> {
    for (const change of changes) {
      const found = await pachd.statFile(caller, commit, change.path);
      const wanted =
        change.kind === 'put'
          ? change.content.kind === 'memory'
            ? change.content.hash
            : undefined
          : change.kind === 'copy'
            ? change.hash
            : undefined;
      const sizeBytes =
        change.kind === 'put' && change.content.kind === 'file-set' ? change.content.sizeBytes : undefined;
      if (change.kind === 'delete' ? found !== undefined : found === undefined) return false;
      if (wanted !== undefined && (found === undefined || Buffer.compare(found.hash, wanted) !== 0)) return false;
      if (sizeBytes !== undefined && found?.sizeBytes !== sizeBytes) return false;
    }
    return true;
  }
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
