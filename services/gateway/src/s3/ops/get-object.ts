import { randomBytes } from 'node:crypto';
import { objectEtag } from '../../pfs/etag.ts';
import type { ObjectInfo, OpenObject } from '../../pfs/files.ts';
import { pathIfHoldable } from '../../pfs/key.ts';
import { andThen, type Soon } from '../../pfs/soon.ts';
import type { HeaderField } from '../answer.ts';
import { refuseEncryptionOfRead } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import type { HttpAnswer, HttpAnswerBody } from '../http.ts';
import { type BucketContext, operation } from '../operation.ts';
import { type Named, noSuchKey, parseNamed, statObject } from '../reading.ts';
import type { S3Request } from '../request.ts';
import { partNumberOf } from '../uploading.ts';
import { versionRead, viewOf } from '../versioned.ts';
import { type Conditions, judgeRead, readConditions } from '../wire/conditions.ts';
import { guessContentType } from '../wire/content-type.ts';
import { formatHttpDate } from '../wire/http-date.ts';
import { type ByteRange, formatContentRange, formatUnsatisfiedRange, parseRange } from '../wire/range.ts';
import { overridesOf } from '../wire/response-overrides.ts';

interface Input extends Named {
  readonly range: string | undefined;
  /** An object has one part, whatever it was made of. */
  readonly partNumber: number | undefined;
  readonly ifRange: string | undefined;
  readonly conditions: Conditions;
  readonly overrides: ReadonlyMap<string, string>;
}

interface Output {
  readonly object: OpenObject;
  /** The commit that it is read from, as it was asked for if it was. */
  readonly commitId: string;
}

/** Source: S3 API reference, GetObject. */
export const getObject = operation<Input, Output>({
  name: 'GetObject',
  differs:
    'Content-Type is guessed from the key. Last-Modified is when the commit that is read was finished. Up to 32 ranges: multipart/byteranges. `versionId` is a commit; `x-amz-version-id` is the one that is read, which may be newer than the one that wrote the object.',
  access: 'read',
  parse,
  run: open,
  encode: (output, input) => encode(output, input, 'GET'),
});

/** Source: S3 API reference, HeadObject. */
export const headObject = operation<Input, Output>({
  name: 'HeadObject',
  access: 'read',
  parse,
  run: look,
  encode: (output, input) => encode(output, input, 'HEAD'),
});

function parse(request: S3Request): Input {
  const { headers } = request.http;
  refuseEncryptionOfRead(headers);
  const { key, versionId } = parseNamed(request);
  return {
    key,
    versionId,
    range: headers.get('range'),
    partNumber: parsePartNumber(request),
    ifRange: headers.get('if-range'),
    conditions: readConditions((name) => headers.get(name)),
    overrides: overridesOf(request.query),
  };
}

/** @throws S3Error InvalidArgument, InvalidRequest */
function parsePartNumber({ query, http }: S3Request): number | undefined {
  if (!query.has('partNumber')) return undefined;
  if (http.headers.get('range') !== undefined) {
    throw new S3Error('InvalidRequest', { message: 'Cannot specify both Range header and partNumber query parameter' });
  }
  return partNumberOf(query);
}

function open(ctx: BucketContext, { key, versionId }: Input): Soon<Output> {
  const path = pathIfHoldable(key);
  return andThen(viewOf(ctx, versionId), (view) => {
    if (path === undefined) throw noSuchKey(key);
    return andThen(ctx.domain.files.open(ctx.caller, view, path), (object) => ({
      object,
      commitId: versionRead(versionId, ctx.view, object.info),
    }));
  });
}

async function look(ctx: BucketContext, input: Input): Promise<Output> {
  const info = await statObject(ctx, input);
  return {
    object: { info, content: undefined, bytes: nothing },
    commitId: versionRead(input.versionId, ctx.view, info),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

const ACCEPTS_RANGES: HeaderField = ['Accept-Ranges', 'bytes'];

function encode({ object, commitId }: Output, input: Input, method: 'GET' | 'HEAD'): HttpAnswer {
  const { info } = object;
  const etag = `"${objectEtag(info.hash)}"`;
  const validators = validatorFields(info, etag);
  switch (judgeRead(input.conditions, { etag, lastModifiedMs: info.lastModifiedMs })) {
    case 'precondition-failed':
      throw new S3Error('PreconditionFailed');
    case 'not-modified':
      return { status: 304, headers: validators, body: { kind: 'empty' } };
    case 'proceed':
      break;
  }
  const contentType = input.overrides.get('Content-Type') ?? guessContentType(input.key);
  const headers: HeaderField[] = [...validators, ACCEPTS_RANGES, ['x-amz-version-id', commitId]];
  for (const field of input.overrides) if (field[0] !== 'Content-Type') headers.push(field);
  // A range of another version of the object would be of no use (RFC 9110, 13.1.5).
  const asked = input.ifRange === undefined || input.ifRange === etag ? input.range : undefined;
  if (input.partNumber !== undefined && input.partNumber > 1) throw new S3Error('InvalidPartNumber');
  const selection = parseRange(input.partNumber === 1 && info.sizeBytes > 0 ? 'bytes=0-' : asked, info.sizeBytes);
  const bodyOf = (range: ByteRange) => rangeBody(object, range, method);
  switch (selection.kind) {
    case 'unsatisfiable':
      throw new S3Error('InvalidRange', {
        headers: [['Content-Range', formatUnsatisfiedRange(info.sizeBytes)]],
        elements: [
          ['RangeRequested', input.range ?? ''],
          ['ActualObjectSize', String(info.sizeBytes)],
        ],
      });
    case 'whole':
      headers.push(['Content-Type', contentType]);
      return { status: 200, headers, body: bodyOf({ first: 0, last: info.sizeBytes - 1 }) };
    case 'part':
      return {
        status: 206,
        headers: [
          ...headers,
          ['Content-Type', contentType],
          ['Content-Range', formatContentRange(selection, info.sizeBytes)],
        ],
        body: bodyOf(selection),
      };
    case 'parts':
      return byteranges(object, selection.ranges, contentType, headers, method);
  }
}

/** What tells versions of an object apart, and stands in a 304 too. */
function validatorFields({ lastModifiedMs }: ObjectInfo, etag: string): HeaderField[] {
  return [
    ['ETag', etag],
    ['Last-Modified', formatHttpDate(lastModifiedMs)],
  ];
}

function rangeBody({ content, bytes }: OpenObject, { first, last }: ByteRange, method: 'GET' | 'HEAD'): HttpAnswerBody {
  const lengthBytes = last - first + 1;
  if (method === 'HEAD') return { kind: 'empty', lengthBytes };
  return content === undefined
    ? { kind: 'stream', lengthBytes, chunks: bytes(first, last) }
    : { kind: 'bytes', bytes: content.subarray(first, last + 1) };
}

/** Several ranges in one answer. Source: RFC 9110, 14.6. */
function byteranges(
  object: OpenObject,
  ranges: readonly ByteRange[],
  contentType: string,
  headers: readonly HeaderField[],
  method: 'GET' | 'HEAD',
): HttpAnswer {
  const { sizeBytes } = object.info;
  const boundary = randomBytes(15).toString('hex');
  const heads = ranges.map((range, at) =>
    Buffer.from(
      `${at === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Range: ${formatContentRange(range, sizeBytes)}\r\nContent-Type: ${contentType}\r\n\r\n`,
    ),
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const lengthBytes =
    heads.reduce((sum, head) => sum + head.length, end.length) +
    ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);

  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const [at, { first, last }] of ranges.entries()) {
      yield heads[at] ?? end;
      yield* object.bytes(first, last);
    }
    yield end;
  }

  return {
    status: 206,
    headers: [...headers, ['Content-Type', `multipart/byteranges; boundary=${boundary}`]],
    body: method === 'HEAD' ? { kind: 'empty', lengthBytes } : { kind: 'stream', lengthBytes, chunks: chunks() },
  };
}
