import { parseBucketName } from '../../pfs/bucket.ts';
import { pathIfHoldable } from '../../pfs/key.ts';
import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { toS3Error } from '../failure.ts';
import { type Context, operation } from '../operation.ts';
import { bucketOf } from '../target.ts';
import { xmlElement } from '../wire/xml.ts';
import { childBoolean, childrenNamed, childText, requireChildText, type XmlNode } from '../wire/xml-read.ts';
import { writableBucket, writerId } from '../writing.ts';

const DOCUMENT_MAX_BYTES = 4 << 20;
/** Source: S3 API reference, DeleteObjects. */
const KEYS_MAX = 1_000;

interface Outcome {
  readonly key: string;
  readonly error: S3Error | undefined;
}

/**
 * Deletes up to 1000 objects in one commit. It answers 200 whatever becomes of the single keys, also when the bucket is not there
 * or may not be written to; only a document that cannot be read is refused as a whole.
 */
export const deleteObjects = operation({
  name: 'DeleteObjects',
  differs: 'One commit. `VersionId` is refused key by key.',
  access: 'own',
  parse: bucketOf,
  async run(ctx, name) {
    const document = await ctx.body.document(DOCUMENT_MAX_BYTES);
    if (document?.name !== 'Delete') throw new S3Error('MalformedXML');
    const objects = childrenNamed(document, 'Object');
    if (objects.length > KEYS_MAX) throw new S3Error('MalformedXML');
    return { quiet: childBoolean(document, 'Quiet') ?? false, outcomes: await deleteAll(ctx, name, objects) };
  },
  encode: ({ quiet, outcomes }) =>
    xmlAnswer('DeleteResult', [
      ...outcomes.flatMap(({ key, error }) =>
        error === undefined && !quiet ? [xmlElement('Deleted', [xmlElement('Key', key)])] : [],
      ),
      ...outcomes.flatMap(({ key, error }) =>
        error === undefined
          ? []
          : [
              xmlElement('Error', [
                xmlElement('Key', key),
                xmlElement('Code', error.code),
                xmlElement('Message', error.message),
              ]),
            ],
      ),
    ]),
});

async function deleteAll(ctx: Context, name: string, objects: readonly XmlNode[]): Promise<readonly Outcome[]> {
  const outcomes = objects.map((object): Outcome => {
    const versioned = childText(object, 'VersionId') !== undefined;
    const key = requireChildText(object, 'Key');
    if (key === '') throw new S3Error('MalformedXML');
    return { key, error: versioned ? new S3Error('NotImplemented') : undefined };
  });
  const paths = new Set(outcomes.flatMap(({ key, error }) => (error === undefined ? [pathIfHoldable(key)] : [])));
  // What pachd cannot hold is not there.
  paths.delete(undefined);
  try {
    const view = await ctx.domain.buckets.open(ctx.caller, ctx.principal, parseBucketName(name), 'write');
    const bucket = writableBucket(view);
    const changes = [...paths].flatMap((path) => (path === undefined ? [] : [{ kind: 'delete', path } as const]));
    const principalId = writerId(ctx.principal);
    if (changes.length > 0)
      await ctx.domain.rounds.submit({ caller: ctx.caller, principalId, bucket, changes, precondition: undefined });
    return outcomes;
  } catch (thrown) {
    const error = toS3Error(thrown);
    // What may pass by itself is for the client's own retries, which look at the status.
    if (error.status >= 500 && error.code !== 'NotImplemented') throw thrown;
    return outcomes.map((outcome) => ({ key: outcome.key, error: outcome.error ?? error }));
  }
}
