import { emptyAnswer, xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import {
  parsePublicAccessBlock,
  publicAccessElements,
  publicAccessText,
  readPublicAccessText,
} from '../wire/public-access.ts';
import { writableBucket } from '../writing.ts';

const DOCUMENT_MAX_BYTES = 64 << 10;

const SETTING = 'public-access-block';

/** Source: S3 API reference, GetPublicAccessBlock. */
export const getPublicAccessBlock = operation({
  name: 'GetPublicAccessBlock',
  access: 'list',
  parse: () => undefined,
  async run({ domain, caller, view }) {
    const text = await domain.settings.read(caller, view.bucket, SETTING);
    if (text === undefined) throw new S3Error('NoSuchPublicAccessBlockConfiguration');
    return readPublicAccessText(text);
  },
  encode: (block) => xmlAnswer('PublicAccessBlockConfiguration', publicAccessElements(block)),
});

/** Nothing is public anyway; what a bucket was told not to allow is refused from then on. Source: S3 API reference, PutPublicAccessBlock. */
export const putPublicAccessBlock = operation({
  name: 'PutPublicAccessBlock',
  differs:
    "Kept in the metadata of the branch, under `tusk.s3.public-access-block`; it takes pachd's right to make branches. `BlockPublicAcls` and `BlockPublicPolicy` refuse what is public; the other two have nothing to do, since nothing is public.",
  access: 'createBranch',
  parse: () => undefined,
  async run({ domain, caller, view, body }) {
    const bucket = writableBucket(view);
    const block = parsePublicAccessBlock(await body.document(DOCUMENT_MAX_BYTES));
    await domain.settings.write(caller, bucket, SETTING, publicAccessText(block));
  },
  encode: () => emptyAnswer(200),
});

/** Source: S3 API reference, DeletePublicAccessBlock. */
export const deletePublicAccessBlock = operation({
  name: 'DeletePublicAccessBlock',
  access: 'createBranch',
  parse: () => undefined,
  run: ({ domain, caller, view }) => domain.settings.write(caller, writableBucket(view), SETTING, undefined),
  encode: () => emptyAnswer(204),
});
