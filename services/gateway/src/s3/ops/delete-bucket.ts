import { parseBucketName } from '../../pfs/bucket.ts';
import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { bucketOf } from '../target.ts';

/** Deletes a branch whose head has no file, and the repo with its last branch. Source: S3 API reference, DeleteBucket. */
export const deleteBucket = operation({
  name: 'DeleteBucket',
  differs: 'Deletes the branch, and the repo with its last branch.',
  access: 'own',
  parse: (request) => parseBucketName(bucketOf(request)),
  run: ({ domain, caller, principal }, bucket) => domain.buckets.delete(caller, principal, bucket),
  encode: () => emptyAnswer(204),
});
