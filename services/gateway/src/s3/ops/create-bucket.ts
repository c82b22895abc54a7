import { parseBucketName } from '../../pfs/bucket.ts';
import { emptyAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { bucketOf } from '../target.ts';

const DOCUMENT_MAX_BYTES = 64 << 10;

/** Makes a branch, and its repo if need be. Source: S3 API reference, CreateBucket. */
export const createBucket = operation({
  name: 'CreateBucket',
  differs: 'Makes the branch, and its repo if need be; the project must be there. Any location is accepted.',
  access: 'own',
  parse: (request) => ({ name: bucketOf(request), bucket: parseBucketName(bucketOf(request)) }),
  async run({ domain, caller, principal, body }, { bucket }) {
    const document = await body.document(DOCUMENT_MAX_BYTES);
    // Any location is as good as another: there is one.
    if (document !== undefined && document.name !== 'CreateBucketConfiguration') throw new S3Error('MalformedXML');
    await domain.buckets.create(caller, principal, bucket);
  },
  encode: (_, { name }) => emptyAnswer(200, [['Location', `/${name}`]]),
});
