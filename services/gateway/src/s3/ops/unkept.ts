import { S3Error } from '../errors.ts';
import { type Operation, operation } from '../operation.ts';
import { parseNamed, statObject } from '../reading.ts';
import { isBlocked } from '../settings.ts';
import { isPublicPolicy } from '../wire/bucket-policy.ts';
import { checkLifecycle } from '../wire/lifecycle.ts';
import { parseTagSet } from '../wire/tag-set.ts';

const DOCUMENT_MAX_BYTES = 1 << 20;
/** Source: S3 user guide, "Bucket policies". */
const POLICY_MAX_BYTES = 20 << 10;

const UNKEPT = 'Checked as S3 does it; what is right is 501 NotImplemented, since nothing would come of it.';

/** Nothing would come of it, so that it is not taken; but who sends a wrong one is told what is wrong, as S3 does. */
export const putBucketLifecycle: Operation = operation<undefined, never>({
  name: 'PutBucketLifecycleConfiguration',
  differs: UNKEPT,
  access: 'write',
  parse: () => undefined,
  async run({ body }) {
    checkLifecycle(await body.document(DOCUMENT_MAX_BYTES));
    throw new S3Error('NotImplemented', { elements: [['Operation', 'PutBucketLifecycleConfiguration']] });
  },
  encode: (answer) => answer,
});

export const putObjectTagging: Operation = operation<ReturnType<typeof parseNamed>, never>({
  name: 'PutObjectTagging',
  differs: UNKEPT,
  access: 'write',
  parse: parseNamed,
  async run(ctx, input) {
    parseTagSet(await ctx.body.document(DOCUMENT_MAX_BYTES), 'Object');
    await statObject(ctx, input);
    throw new S3Error('NotImplemented', { elements: [['Operation', 'PutObjectTagging']] });
  },
  encode: (answer) => answer,
});

/** pachd decides who may do what. A bucket that was told to refuse public policies does so first. */
export const putBucketPolicy: Operation = operation<undefined, never>({
  name: 'PutBucketPolicy',
  differs: UNKEPT,
  access: 'write',
  parse: () => undefined,
  async run(ctx) {
    const text = await ctx.body.text(POLICY_MAX_BYTES);
    if (isPublicPolicy(text) && (await isBlocked(ctx, 'BlockPublicPolicy'))) throw new S3Error('AccessDenied');
    throw new S3Error('NotImplemented', { elements: [['Operation', 'PutBucketPolicy']] });
  },
  encode: (answer) => answer,
});
