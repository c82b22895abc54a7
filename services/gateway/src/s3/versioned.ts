import { isCommitId } from '../pfs/bucket.ts';
import type { ObjectInfo } from '../pfs/files.ts';
import type { Soon } from '../pfs/soon.ts';
import type { BucketView } from '../pfs/state.ts';
import { S3Error } from './errors.ts';
import type { BucketContext } from './operation.ts';

/**
 * What `versionId` shows: a commit of the repo. Without one, the bucket as it is.
 * @throws S3Error InvalidArgument, Failure no-such-version
 */
export function viewOf({ domain, caller, view }: BucketContext, versionId: string | undefined): Soon<BucketView> {
  return versionId === undefined ? view : domain.states.viewVersion(caller, view, versionId);
}

/** The version that a read of `view` answers with: the one asked for, else the commit that the bucket names, else that of the object's last change. */
export function versionRead(versionId: string | undefined, view: BucketView, info: ObjectInfo): string {
  return versionId ?? view.bucket.commitId ?? info.commitId;
}

/** @throws S3Error InvalidArgument if it cannot be a commit's id, NoSuchVersion */
export function parseVersionId(versionId: string | undefined): string | undefined {
  // S3's name for what was written while versioning was off: there is no such thing.
  if (versionId === 'null') throw new S3Error('NoSuchVersion');
  if (versionId !== undefined && !isCommitId(versionId)) {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid version id specified',
      elements: [
        ['ArgumentName', 'versionId'],
        ['ArgumentValue', versionId],
      ],
    });
  }
  return versionId;
}
