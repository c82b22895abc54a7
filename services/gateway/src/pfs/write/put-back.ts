import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { Caller, CommitRef, CommitSummary, FileEdit, FileSummary } from '../../pachd/model.ts';
import type { BucketRef } from '../bucket.ts';
import { Failure } from '../failure.ts';
import type { Change } from './change.ts';
import { patiently } from './patience.ts';
import { createWritten } from './written.ts';

const ATTEMPTS_MAX = 10;
/** How many commits of others may have come while a write is taken back. */
const CHAIN_MAX = 1_000;

export type PutBack = ReturnType<typeof createPutBack>;

type Values = ReadonlyMap<string, FileSummary | undefined>;

interface Newest {
  readonly head: CommitRef;
  readonly state: CommitSummary['state'];
  readonly shown: CommitRef;
}

/**
 * Takes back a conditional write that went on top of somebody else's commit, and whose condition does not hold there: the paths
 * get the values that they had. If others write a path at the same time, theirs is what stays.
 */
export function createPutBack(pachd: Pachd) {
  const written = createWritten(pachd);

  return {
    /**
     * @param before the commit that the write stands on, whose values come back
     * @throws Failure unavailable when others never let it come to rest
     */
    putBack: (caller: Caller, bucket: BucketRef, changes: readonly Change[], before: CommitRef): Promise<void> =>
      // If the answer of its commit is lost, what is there then says whether it was made.
      patiently(() => takeBack(caller, bucket, changes, before)),
  };

  async function takeBack(caller: Caller, bucket: BucketRef, changes: readonly Change[], before: CommitRef) {
    let wanted = await valuesAt(caller, before, changes);
    let from = before;
    let isOurs = (change: Change, shown: CommitRef) => written.isIn(caller, shown, change);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { head, state, shown } = await newest(caller, bucket);
      const there = await valuesAt(caller, shown, changes);
      const left: Change[] = [];
      for (const change of changes) {
        if (isSame(there.get(change.path), wanted.get(change.path))) continue;
        // Where there is something else, somebody has written since: that is the newer value.
        if (await isOurs(change, shown)) left.push(change);
      }
      if (left.length === 0) return;
      const edits = left.flatMap(({ path }) => restoring(path, from, wanted));
      if (state === 'open') {
        if (await unless('commit-finished', join(caller, head, edits))) return;
        continue;
      }
      if (!(await unless('commit-unfinished', pachd.modifyFile(caller, bucket, edits)))) continue;
      const parent = await parentOfOwn(caller, bucket, head, left, wanted);
      if (parent?.commitId === head.commitId) return;
      // Others have spoilt it: what is there is looked at again.
      if (parent === undefined) continue;
      // Others came between. Where they wrote, theirs is what is to be there; where they did not, it is done.
      from = await good(caller, parent);
      const theirs = await valuesAt(caller, from, left);
      const restored = wanted;
      isOurs = ({ path }, newer) => {
        const wasTheirs = theirs.has(path) && !isSame(theirs.get(path), there.get(path));
        if (!wasTheirs) return Promise.resolve(false);
        return pachd.statFile(caller, newer, path).then((found) => isSame(found, restored.get(path)));
      };
      wanted = theirs;
    }
    throw new Failure('unavailable', 'others keep writing while a conditional write is taken back');
  }

  /** The head of a branch, and the commit that has what the branch shows, as soon as that can be read. */
  async function newest(caller: Caller, bucket: BucketRef): Promise<Newest> {
    const { project, repo } = bucket;
    const { headId } = await pachd.inspectBranch(caller, bucket);
    const head = { project, repo, commitId: headId };
    const { state, parentId } = await pachd.inspectCommit(caller, head, 'no');
    if (state !== 'open') return { head, state, shown: await good(caller, head) };
    if (parentId !== undefined) await pachd.inspectCommit(caller, { project, repo, commitId: parentId }, 'finished');
    return { head, state, shown: head };
  }

  /** The commit itself, or the newest before it that pachd has not dropped; finished. */
  async function good(caller: Caller, commit: CommitRef): Promise<CommitRef> {
    const { error, parentId } = await pachd.inspectCommit(caller, commit, 'finished');
    return error === '' || parentId === undefined ? commit : good(caller, { ...commit, commitId: parentId });
  }

  /** Writes into somebody's open commit. */
  async function join(caller: Caller, commit: CommitRef, edits: readonly FileEdit[]): Promise<void> {
    await pachd.addFileSet(caller, commit, await pachd.createEditSet(caller, edits));
  }

  /** The commit that ours, which is newer than `since`, stands on; undefined: pachd has dropped ours. */
  async function parentOfOwn(
    caller: Caller,
    bucket: BucketRef,
    since: CommitRef,
    changes: readonly Change[],
    wanted: Values,
  ): Promise<CommitRef | undefined> {
    const holds = async (commit: CommitRef) => {
      const values = await valuesAt(caller, commit, changes);
      return changes.every(({ path }) => isSame(values.get(path), wanted.get(path)));
    };
    const { head } = await newest(caller, bucket);
    let commit = head;
    for (let walked = 0; walked < CHAIN_MAX && commit.commitId !== since.commitId; walked++) {
      const { parentId, error, oneOff } = await pachd.inspectCommit(caller, commit, 'no');
      if (parentId === undefined) return undefined;
      const parent = { ...commit, commitId: parentId };
      if (oneOff && error === '' && (await holds(commit)) && !(await holds(await good(caller, parent)))) return parent;
      commit = parent;
    }
    return undefined;
  }

  async function valuesAt(caller: Caller, commit: CommitRef, changes: readonly Change[]): Promise<Values> {
    const values = new Map<string, FileSummary | undefined>();
    for (const { path } of changes) values.set(path, await pachd.statFile(caller, commit, path));
    return values;
  }
}

/** Whether a write was made. false: somebody has opened or finished a commit meanwhile, and it was refused. */
async function unless(refused: 'commit-finished' | 'commit-unfinished', write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isPachdError(error, refused)) return false;
    throw error;
  }
}

function restoring(path: string, from: CommitRef, wanted: Values): readonly FileEdit[] {
  const removal: FileEdit = { kind: 'delete', path };
  if (wanted.get(path) === undefined) return [removal];
  return [removal, { kind: 'copy', path, source: from, sourcePath: path }];
}

function isSame(a: FileSummary | undefined, b: FileSummary | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a.hash, b.hash) === 0;
}
