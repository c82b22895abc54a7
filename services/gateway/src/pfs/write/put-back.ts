import type { Pachd } from '../../pachd/client.ts';
import type { Caller, CommitRef, FileEdit } from '../../pachd/model.ts';
import type { BucketRef } from '../bucket.ts';
import { Failure } from '../failure.ts';
import type { Change } from './change.ts';
import { isAsWritten } from './edits.ts';

const ATTEMPTS_MAX = 10;

export type PutBack = ReturnType<typeof createPutBack>;

/**
 * Takes back a conditional write that went on top of somebody else's commit, and whose condition does not hold there: the paths
 * get the values that they had. If others write a path at the same time, theirs is what stays.
 */
export function createPutBack(pachd: Pachd) {
  /** The newest commit, finished. */
  const settled = async (caller: Caller, bucket: BucketRef): Promise<CommitRef> => {
    const { headId } = await pachd.inspectBranch(caller, bucket);
    const commit = { project: bucket.project, repo: bucket.repo, commitId: headId };
    await pachd.inspectCommit(caller, commit, 'finished');
    return commit;
  };

  return {
    /**
     * @param before the commit that the write stands on, whose values come back
     * @throws Failure unavailable when others never let it come to rest
     */
    async putBack(caller: Caller, bucket: BucketRef, changes: readonly Change[], before: CommitRef): Promise<void> {
      let from = before;
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const head = await settled(caller, bucket);
        const edits: FileEdit[] = [];
        for (const change of changes) {
          const found = await pachd.statFile(caller, head, change.path);
          // Somebody has written it since: that is the newer value.
          if (attempt === 0 && !isAsWritten(change, found)) continue;
          edits.push({ kind: 'delete', path: change.path });
          if ((await pachd.statFile(caller, from, change.path)) !== undefined) {
            edits.push({ kind: 'copy', path: change.path, source: from, sourcePath: change.path });
          }
        }
        if (edits.length === 0) return;
        await pachd.modifyFile(caller, bucket, edits);
        const own = await settled(caller, bucket);
        const { parentId } = await pachd.inspectCommit(caller, own, 'no');
        if (parentId === head.commitId || parentId === undefined) return;
        // Others came between, and may have written the path: what the last of them left is what is to be there.
        from = { ...head, commitId: parentId };
      }
      throw new Failure('unavailable', 'others keep writing while a conditional write is taken back');
    },
  };
}
