import { parseBucketName } from '../../pfs/bucket.ts';
import { emptyAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { bucketOf } from '../target.ts';
import { tagsOf, tagText } from '../wire/tag-set.ts';
import { childrenNamed } from '../wire/xml-read.ts';

const DOCUMENT_MAX_BYTES = 64 << 10;

/**
 * What S3 asks of a new bucket's name and Pachyderm's names can do as well: three characters, and a letter or a digit at both ends of each part.
 * They may be longer than S3's, and have capitals and underscores within. Source: S3 user guide, "General purpose bucket naming rules".
 */
const NAME = /^(?=.{3})[a-z0-9](?:[\w-]*[a-z0-9])?(?:\.[a-z0-9](?:[\w-]*[a-z0-9])?)*$/i;

/** Makes a branch, and its repo if need be. Source: S3 API reference, CreateBucket. */
export const createBucket = operation({
  name: 'CreateBucket',
  differs:
    'Makes the branch, and its repo if need be; the project must be there. Any location is accepted. Names may be longer than in S3, and have capitals and underscores.',
  access: 'own',
  parse(request) {
    const name = bucketOf(request);
    if (!NAME.test(name)) throw new S3Error('InvalidBucketName');
    return { name, bucket: parseBucketName(name) };
  },
  async run({ domain, caller, principal, body }, { bucket }) {
    const document = await body.document(DOCUMENT_MAX_BYTES);
    // Any location is as good as another: there is one.
    if (document !== undefined && document.name !== 'CreateBucketConfiguration') throw new S3Error('MalformedXML');
    const [list] = document === undefined ? [] : childrenNamed(document, 'Tags');
    const tags = list === undefined ? [] : tagsOf(list, 'Bucket');
    await domain.buckets.create(caller, principal, bucket);
    if (tags.length > 0) await domain.settings.write(caller, bucket, 'tagging', tagText(tags));
  },
  encode: (_, { name }) => emptyAnswer(200, [['Location', `/${name}`]]),
});
