import { createHash, hash } from 'node:crypto';
import { S3Error } from '../errors.ts';
import { type ByteReader, readBytes } from './byte-reader.ts';
import { isSignature } from './sigv4.ts';

/** What the chunk signatures of a body are computed with. */
interface ChunkSigning {
  readonly key: Buffer;
  readonly amzDate: string;
  /** `date/region/service/aws4_request`. */
  readonly scope: string;
  /** The signature of the request itself: the first chunk is chained to it. */
  readonly seedSignature: string;
}

export interface AwsChunkedOptions {
  /** What x-amz-decoded-content-length announced. */
  readonly decodedLengthBytes: number;
  /** Undefined if the chunks are not signed. */
  readonly signing: ChunkSigning | undefined;
  readonly trailer: boolean;
  /** Called once with the trailers in the order sent, names in lower case, after their signature was checked. */
  readonly onTrailers: (trailers: readonly (readonly [name: string, value: string])[]) => void;
}

/** A signed chunk is held until its signature is known to be right. SDKs send 64 KiB to 1 MiB. */
const SIGNED_CHUNK_MAX_BYTES = 16 * 1024 * 1024;
const LINE_MAX_BYTES = 4096;
const TRAILERS_MAX = 16;

const EMPTY_SHA256 = hash('sha256', '', 'hex');

/**
 * The payload of an aws-chunked body. Bytes of a signed chunk come out only after its signature was checked; a chunk that is not
 * signed comes out as it arrives. Whoever stores them may keep them only if the end comes without an error.
 * Sources: S3 API reference, "Signature calculations for the authorization header: transferring payload in multiple chunks" and "…
 * including trailing headers".
 * @throws S3Error SignatureDoesNotMatch for a wrong chunk or trailer; IncompleteBody if there are more or less bytes than announced;
 *   InvalidRequest for bad framing; MalformedTrailerError for bad trailers.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Uint8Array>,
  options: AwsChunkedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = readBytes(source);
  const chain = options.signing === undefined ? undefined : signatureChain(options.signing);
  try {
    let totalBytes = 0;
    for (;;) {
      const { sizeBytes, signature } = parseChunkHeader(await reader.line(LINE_MAX_BYTES), chain !== undefined);
      totalBytes += sizeBytes;
      if (totalBytes > options.decodedLengthBytes) {
        throw new S3Error('IncompleteBody', {
          message: 'The body is longer than x-amz-decoded-content-length announced.',
        });
      }
      if (chain === undefined) {
        yield* reader.take(sizeBytes);
      } else {
        yield* await signedChunk(reader, sizeBytes, signature, chain);
      }
      if (sizeBytes === 0) {
        break;
      }
      await expectLineEnd(reader);
    }
    if (totalBytes < options.decodedLengthBytes) {
      throw new S3Error('IncompleteBody', {
        message: 'The body is shorter than x-amz-decoded-content-length announced.',
      });
    }
    options.onTrailers(await readTrailers(reader, options.trailer, chain));
  } finally {
    await reader.close();
  }
}

interface SignatureChain {
  /** Whether `signature` follows in the chain; if so, the next one is computed from it. */
  accept(signature: string, kind: 'PAYLOAD' | 'TRAILER', sha256: string): boolean;
}

function signatureChain(signing: ChunkSigning): SignatureChain {
  let previous = signing.seedSignature;
  return {
    accept(signature, kind, sha256) {
      const context = `${signing.amzDate}\n${signing.scope}\n${previous}`;
      const text =
        kind === 'PAYLOAD'
          ? `AWS4-HMAC-SHA256-PAYLOAD\n${context}\n${EMPTY_SHA256}\n${sha256}`
          : `AWS4-HMAC-SHA256-TRAILER\n${context}\n${sha256}`;
      previous = signature;
      return /^[0-9a-f]{64}$/.test(signature) && isSignature(signature, signing.key, text);
    },
  };
}

async function signedChunk(
  reader: ByteReader,
  sizeBytes: number,
  signature: string,
  chain: SignatureChain,
): Promise<readonly Uint8Array[]> {
  if (sizeBytes > SIGNED_CHUNK_MAX_BYTES) {
    throw malformed(`A signed chunk has at most ${SIGNED_CHUNK_MAX_BYTES} bytes.`);
  }
  const digest = createHash('sha256');
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.take(sizeBytes)) {
    digest.update(piece);
    pieces.push(piece);
  }
  if (!chain.accept(signature, 'PAYLOAD', digest.digest('hex'))) {
    throw new S3Error('SignatureDoesNotMatch');
  }
  return pieces;
}

/** `hex-size` or `hex-size;chunk-signature=64 hex digits`. */
function parseChunkHeader(line: string, signed: boolean): { sizeBytes: number; signature: string } {
  const [, size, signature = ''] = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line) ?? [];
  if (size === undefined || (signed && signature === '')) {
    throw malformed('The header of a chunk is malformed.');
  }
  return { sizeBytes: Number.parseInt(size, 16), signature };
}

async function expectLineEnd(reader: ByteReader): Promise<void> {
  if ((await reader.line(2)) !== '') {
    throw malformed('A chunk does not end where its header says.');
  }
}

/** Trailers, and after them, if chunks are signed, a line with their signature. SDKs differ in the blank lines between them. */
async function readTrailers(
  reader: ByteReader,
  expected: boolean,
  chain: SignatureChain | undefined,
): Promise<readonly (readonly [string, string])[]> {
  const trailers: (readonly [string, string])[] = [];
  let signature: string | undefined;
  while (!(await reader.ended())) {
    const line = await reader.line(LINE_MAX_BYTES);
    if (line === '') {
      continue;
    }
    const colon = line.indexOf(':');
    if (!expected || colon <= 0 || trailers.length === TRAILERS_MAX || signature !== undefined) {
      throw new S3Error('MalformedTrailerError');
    }
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') {
      signature = value;
    } else {
      trailers.push([name, value]);
    }
  }
  if (expected && chain !== undefined) {
    const block = trailers.map(([name, value]) => `${name}:${value}\n`).join('');
    if (signature === undefined || !chain.accept(signature, 'TRAILER', hash('sha256', block, 'hex'))) {
      throw new S3Error('SignatureDoesNotMatch');
    }
  }
  return trailers;
}

function malformed(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}
