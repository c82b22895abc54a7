import { S3Error } from '../errors.ts';
import type { HttpBody, HttpHeaders } from '../http.ts';
import { CHECKSUM_BYTES, type Checksum, type ChecksumAlgorithm, startChecksum, startHash } from './checksum.ts';
import { decodeAwsChunked } from './chunked.ts';
import type { Credential } from './credential.ts';
import { type PayloadHash, parsePayloadHash } from './payload-hash.ts';
import { formatScope, signingKey } from './signing-key.ts';

export interface VerifiedBodyInput {
  readonly body: HttpBody;
  readonly headers: HttpHeaders;
  readonly credential: Credential;
  /** The key that the request's signature was verified with; undefined for an anonymous request. */
  readonly secretKey: string | undefined;
  /** Set if x-amz-checksum-* is about something else than this payload. */
  readonly checksumOf?: 'the object';
}

export interface VerifiedBody {
  /**
   * The payload as it comes, once. Its end is the verdict: if length, Content-MD5, x-amz-content-sha256, an x-amz-checksum or a
   * signature is wrong it throws in place of ending, so what was read counts only after a clean end.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What the client says that the payload has, in bytes; undefined if it does not say. */
  readonly decodedLengthBytes: number | undefined;
  /** By which algorithm the client sums the payload up, in a header or a trailer; undefined if it does not. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** The S3 checksum that the client sent, once the chunks came to a clean end; undefined if it sent none. */
  verifiedChecksum(): ObjectChecksum | undefined;
}

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64. */
  readonly value: string;
}

/**
 * The payload of a request, decoded and checked against all that the request says of it.
 * Sources: S3 API reference, PutObject; S3 user guide, "Checking object integrity".
 * @throws S3Error InvalidDigest for a malformed Content-MD5; InvalidRequest for a malformed or second checksum; MissingContentLength for an
 *   aws-chunked body of unknown length; NotImplemented for an unknown checksum; AccessDenied for chunk signatures without a V4 credential.
 *   While reading: what `decodeAwsChunked` throws, IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, and what the body throws.
 */
export function verifiedBody(input: VerifiedBodyInput): VerifiedBody {
  const { body, headers } = input;
  const payloadHash = payloadHashOf(input);
  const md5 = parseContentMd5(headers);
  const announced = input.checksumOf === undefined ? parseChecksumHeaders(headers) : undefined;
  const streaming = payloadHash?.kind === 'streaming' ? decodingOf(input, payloadHash) : undefined;
  let trailers: readonly (readonly [string, string])[] = [];
  let verified: ObjectChecksum | undefined;

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const checks: Check[] = [];
    if (md5 !== undefined) {
      checks.push({ checksum: startHash('md5'), expected: () => md5, mismatch: () => new S3Error('BadDigest') });
    }
    if (payloadHash?.kind === 'sha256') {
      const expected = Buffer.from(payloadHash.hex, 'hex');
      checks.push({
        checksum: startHash('sha256'),
        expected: () => expected,
        mismatch: (computed) => sha256Mismatch(payloadHash.hex, computed),
      });
    }
    if (announced !== undefined) {
      const { algorithm } = announced;
      checks.push({
        checksum: await startChecksum(algorithm),
        expected: () => announced.value ?? checksumTrailer(trailers, algorithm),
        mismatch: () =>
          new S3Error('BadDigest', {
            message: `The ${algorithm} you specified did not match the calculated checksum.`,
          }),
      });
    }
    const onTrailers = (received: typeof trailers) => {
      // Only what x-amz-trailer announced was computed on the way, so nothing else can be checked now.
      if (announced === undefined && received.some(([name]) => name.startsWith(PREFIX))) {
        throw new S3Error('MalformedTrailerError');
      }
      trailers = received;
    };
    const raw = exactly(body);
    for await (const chunk of streaming === undefined ? raw : decodeAwsChunked(raw, { ...streaming, onTrailers })) {
      for (const check of checks) {
        check.checksum.update(chunk);
      }
      yield chunk;
    }
    for (const check of checks) {
      const computed = check.checksum.digest();
      if (!computed.equals(check.expected())) {
        throw check.mismatch(computed);
      }
    }
    if (announced !== undefined) {
      const value = announced.value ?? checksumTrailer(trailers, announced.algorithm);
      verified = { algorithm: announced.algorithm, value: value.toString('base64') };
    }
  }

  return {
    chunks: chunks(),
    decodedLengthBytes: streaming === undefined ? body.lengthBytes : streaming.decodedLengthBytes,
    checksumAlgorithm: announced?.algorithm,
    verifiedChecksum: () => verified,
  };
}

interface Check {
  readonly checksum: Checksum;
  expected(): Buffer;
  mismatch(computed: Buffer): S3Error;
}

function payloadHashOf({ credential, headers }: VerifiedBodyInput): PayloadHash | undefined {
  const value = credential.kind === 'sigv4' ? credential.payloadHash : headers.get('x-amz-content-sha256');
  return value === undefined ? undefined : parsePayloadHash(value);
}

function decodingOf(input: VerifiedBodyInput, payload: PayloadHash & { kind: 'streaming' }) {
  const { credential, headers, secretKey } = input;
  const length = headers.get('x-amz-decoded-content-length');
  if (length === undefined) {
    throw new S3Error('MissingContentLength', {
      message: 'You must provide the x-amz-decoded-content-length HTTP header.',
    });
  }
  if (!/^[0-9]{1,15}$/.test(length)) {
    throw new S3Error('InvalidArgument', { message: 'The x-amz-decoded-content-length header must be a number.' });
  }
  const decoding = { decodedLengthBytes: Number(length), trailer: payload.trailer };
  if (!payload.signed) {
    return { ...decoding, signing: undefined };
  }
  if (credential.kind !== 'sigv4' || secretKey === undefined) {
    throw new S3Error('AccessDenied', { message: 'A body with signed chunks needs a signed request.' });
  }
  const { amzDate, scope, signature } = credential;
  return {
    ...decoding,
    signing: { key: signingKey(secretKey, scope), amzDate, scope: formatScope(scope), seedSignature: signature },
  };
}

/** Passes the body on, and checks that it has as many bytes as Content-Length says. */
async function* exactly(body: HttpBody): AsyncGenerator<Uint8Array, void, undefined> {
  let totalBytes = 0;
  for await (const chunk of body) {
    totalBytes += chunk.length;
    yield chunk;
  }
  if (body.lengthBytes !== undefined && totalBytes !== body.lengthBytes) {
    throw new S3Error('IncompleteBody');
  }
}

function parseContentMd5(headers: HttpHeaders): Buffer | undefined {
  const value = headers.get('content-md5');
  if (value === undefined) {
    return undefined;
  }
  const digest = decodeBase64(value, 16);
  if (digest === undefined) {
    throw new S3Error('InvalidDigest', { message: 'The Content-MD5 you specified was invalid.' });
  }
  return digest;
}

/** Headers of the family that are no checksum themselves. */
const ABOUT_CHECKSUMS: ReadonlySet<string> = new Set(['algorithm', 'mode', 'type']);

const PREFIX = 'x-amz-checksum-';

/** The one checksum of a request; without a value if it is to come in the trailer. */
function parseChecksumHeaders(headers: HttpHeaders): { algorithm: ChecksumAlgorithm; value?: Buffer } | undefined {
  const found: { algorithm: ChecksumAlgorithm; value?: Buffer }[] = [];
  for (const [name, value] of headers.entries()) {
    const kind = name.slice(PREFIX.length);
    if (name.startsWith(PREFIX) && !ABOUT_CHECKSUMS.has(kind)) {
      const algorithm = algorithmOf(kind);
      found.push({ algorithm, value: parseChecksumValue(algorithm, value) });
    }
  }
  for (const name of headers.all('x-amz-trailer').flatMap((value) => value.toLowerCase().split(','))) {
    if (name.trim().startsWith(PREFIX)) {
      found.push({ algorithm: algorithmOf(name.trim().slice(PREFIX.length)) });
    }
  }
  if (found.length > 1) {
    throw new S3Error('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    });
  }
  if (found.length === 0 && headers.get('x-amz-sdk-checksum-algorithm') !== undefined) {
    throw new S3Error('InvalidRequest', {
      message:
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    });
  }
  return found[0];
}

/** @throws S3Error NotImplemented */
export function algorithmOf(kind: string): ChecksumAlgorithm {
  const name = kind.toUpperCase();
  for (const algorithm of Object.keys(CHECKSUM_BYTES) as ChecksumAlgorithm[]) {
    if (algorithm === name) {
      return algorithm;
    }
  }
  throw new S3Error('NotImplemented', { message: `The checksum ${name} is not implemented.` });
}

function parseChecksumValue(algorithm: ChecksumAlgorithm, value: string): Buffer {
  const digest = decodeBase64(value, CHECKSUM_BYTES[algorithm]);
  if (digest === undefined) {
    throw new S3Error('InvalidRequest', {
      message: `Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`,
    });
  }
  return digest;
}

function checksumTrailer(trailers: readonly (readonly [string, string])[], algorithm: ChecksumAlgorithm): Buffer {
  const trailer = trailers.find(([name]) => name === `${PREFIX}${algorithm.toLowerCase()}`);
  if (trailer === undefined) {
    throw new S3Error('MalformedTrailerError');
  }
  return parseChecksumValue(algorithm, trailer[1]);
}

/** Node ignores what is no base64; a digest has exactly one form. */
function decodeBase64(text: string, lengthBytes: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === lengthBytes && bytes.toString('base64') === text ? bytes : undefined;
}

function sha256Mismatch(clientHex: string, computed: Buffer): S3Error {
  return new S3Error('XAmzContentSHA256Mismatch', {
    elements: [
      ['ClientComputedContentSHA256', clientHex],
      ['S3ComputedContentSHA256', computed.toString('hex')],
    ],
  });
}
