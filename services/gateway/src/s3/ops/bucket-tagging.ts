import { emptyAnswer, xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { parseTagSet, readTagText, tagText } from '../wire/tag-set.ts';
import { xmlElement } from '../wire/xml.ts';
import { writableBucket } from '../writing.ts';

const DOCUMENT_MAX_BYTES = 256 << 10;

const KEPT = "Kept in the metadata of the branch, under `tusk.s3.tagging`; it takes pachd's right to make branches.";

/** Source: S3 API reference, GetBucketTagging. */
export const getBucketTagging = operation({
  name: 'GetBucketTagging',
  differs: "The tags of the branch as they are now, also of a commit's bucket.",
  access: 'list',
  parse: () => undefined,
  async run({ domain, caller, view }) {
    const tags = readTagText(await domain.settings.read(caller, view.bucket, 'tagging'));
    if (tags.length === 0) throw new S3Error('NoSuchTagSet');
    return tags;
  },
  encode: (tags) =>
    xmlAnswer('Tagging', [
      xmlElement(
        'TagSet',
        tags.map(({ key, value }) => xmlElement('Tag', [xmlElement('Key', key), xmlElement('Value', value)])),
      ),
    ]),
});

/** Source: S3 API reference, PutBucketTagging. */
export const putBucketTagging = operation({
  name: 'PutBucketTagging',
  differs: KEPT,
  access: 'createBranch',
  parse: () => undefined,
  async run({ domain, caller, view, body }) {
    const bucket = writableBucket(view);
    const tags = parseTagSet(await body.document(DOCUMENT_MAX_BYTES), 'Bucket');
    await domain.settings.write(caller, bucket, 'tagging', tags.length === 0 ? undefined : tagText(tags));
  },
  encode: () => emptyAnswer(204),
});

/** Source: S3 API reference, DeleteBucketTagging. */
export const deleteBucketTagging = operation({
  name: 'DeleteBucketTagging',
  access: 'createBranch',
  parse: () => undefined,
  run: ({ domain, caller, view }) => domain.settings.write(caller, writableBucket(view), 'tagging', undefined),
  encode: () => emptyAnswer(204),
});
