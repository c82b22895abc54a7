import { parseBucketName } from '../../pfs/bucket.ts';
import { pathIfHoldable } from '../../pfs/key.ts';
import type { Precondition } from '../../pfs/write/change.ts';
import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { toS3Error } from '../failure.ts';
import { type Context, operation } from '../operation.ts';
import { bucketOf } from '../target.ts';
import { parseEntityTags } from '../wire/etag.ts';
import { type Xml, xmlElement } from '../wire/xml.ts';
import { childBoolean, childrenNamed, childText, requireChildText, type XmlNode } from '../wire/xml-read.ts';
import { sizeAndTime, tagsOf, writableBucket, writerId } from '../writing.ts';

const DOCUMENT_MAX_BYTES = 4 << 20;
/** Source: S3 API reference, DeleteObjects. */
const KEYS_MAX = 1_000;

interface Outcome {
  readonly key: string;
  /** The commit that the object is not in any more; undefined if there could be none. */
  readonly commitId?: string | undefined;
  readonly error: S3Error | undefined;
}

/**
 * Deletes up to 1000 objects in one commit. It answers 200 whatever becomes of the single keys, also when the bucket is not there
 * or may not be written to; only a document that cannot be read is refused as a whole.
 */
export const deleteObjects = operation({
  name: 'DeleteObjects',
  differs:
    'One commit. `VersionId` is refused key by key. `ETag`, `Size` and `LastModifiedTime` are conditions on their key.',
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
      ...outcomes.flatMap(({ key, commitId, error }) =>
        error === undefined && !quiet ? [deletedElement(key, commitId)] : [],
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

function deletedElement(key: string, commitId: string | undefined): Xml {
  const marker =
    commitId === undefined ? [] : [xmlElement('DeleteMarker', true), xmlElement('DeleteMarkerVersionId', commitId)];
  return xmlElement('Deleted', [xmlElement('Key', key), ...marker]);
}

interface Wanted {
  readonly key: string;
  /** undefined: nothing is there, whatever pachd holds. */
  readonly path: string | undefined;
  readonly precondition: Precondition | undefined;
  readonly versioned: boolean;
}

async function deleteAll(ctx: Context, name: string, objects: readonly XmlNode[]): Promise<readonly Outcome[]> {
  const wanted = objects.map(wantedOf);
  const plain = wanted.filter(({ versioned, precondition }) => !versioned && precondition === undefined);
  try {
    const view = await ctx.domain.buckets.open(ctx.caller, ctx.principal, parseBucketName(name), 'write');
    const bucket = writableBucket(view);
    const submit = async (paths: ReadonlySet<string>, precondition: Precondition | undefined) => {
      if (paths.size === 0) return undefined;
      const changes = [...paths].map((path) => ({ kind: 'delete', path }) as const);
      const principalId = writerId(ctx.principal);
      return ctx.domain.rounds.submit({ caller: ctx.caller, principalId, bucket, changes, precondition });
    };
    // Those without conditions stand or fall together; each of the others by itself. What waits for the branch goes into one commit.
    const together = submit(pathsOf(plain), undefined);
    const outcomes = wanted.map(async (one): Promise<Outcome> => {
      const { key, versioned, precondition } = one;
      if (versioned) return { key, error: new S3Error('NotImplemented') };
      const outcome = precondition === undefined ? together : submit(pathsOf([one]), precondition);
      return outcome.then(
        (written) => ({ key, commitId: one.path && written?.commitId, error: undefined }),
        (thrown) => ({ key, error: unlessPassing(thrown) }),
      );
    });
    return await Promise.all(outcomes);
  } catch (thrown) {
    const error = unlessPassing(thrown);
    return wanted.map(({ key, versioned }) => ({ key, error: versioned ? new S3Error('NotImplemented') : error }));
  }
}

/** @throws S3Error MalformedXML, InvalidArgument */
function wantedOf(object: XmlNode): Wanted {
  const key = requireChildText(object, 'Key');
  if (key === '') throw new S3Error('MalformedXML');
  const etag = childText(object, 'ETag');
  const size = childText(object, 'Size');
  const time = childText(object, 'LastModifiedTime');
  const isConditional = etag !== undefined || size !== undefined || time !== undefined;
  const ifMatch = etag === undefined ? undefined : tagsOf(parseEntityTags(etag));
  return {
    key,
    path: pathIfHoldable(key),
    precondition: isConditional ? { ifMatch, ifNoneMatch: undefined, ...sizeAndTime(size, time) } : undefined,
    versioned: childText(object, 'VersionId') !== undefined,
  };
}

function pathsOf(wanted: readonly Wanted[]): ReadonlySet<string> {
  return new Set(wanted.flatMap(({ path }) => (path === undefined ? [] : [path])));
}

/** What may pass by itself is for the client's own retries, which look at the status. @throws S3Error of such a kind */
function unlessPassing(thrown: unknown): S3Error {
  const error = toS3Error(thrown);
  if (error.status >= 500 && error.code !== 'NotImplemented') throw thrown;
  return error;
}
