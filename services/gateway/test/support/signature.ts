// Signs requests as clients do, with an implementation that is not the gateway's: V4 by @smithy/signature-v4, and by hand what
// it has not (V2, and the chunks of a streamed body). Sources: S3 API reference, "Authenticating Requests", "Signature
// Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and "Signing and authenticating REST requests" for V2.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Key {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A Pachyderm token is both halves of its key. */
export function keyOf(token: string): Key {
  return { accessKey: token, secretKey: token };
}

export type Query = readonly (readonly [name: string, value: string | null])[];

export type Signing =
  | 'v4'
  | 'v4-unsigned-payload'
  | 'v4-streaming'
  | 'v4-streaming-bad'
  | 'v4-streaming-trailer'
  | 'v4-streaming-unsigned-trailer'
  | 'v2'
  | 'v2-amzdate'
  | 'presign-v4'
  | 'presign-v2';

/** A request as it is before it is signed, and after. */
export interface Draft {
  readonly method: string;
  /** Percent-encoded, as it goes over the wire. */
  readonly path: string;
  /** Not encoded. */
  readonly query: Query;
  /** Names in lower case, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface SignOptions {
  readonly key: Key;
  readonly at: Date;
  readonly region?: string;
  /** In place of the body's own SHA-256. */
  readonly payloadHash?: string;
  /** Lifetime of a presigned URL. */
  readonly expiresSeconds?: number;
  /** Sizes of the chunks of a streamed body. */
  readonly chunks?: readonly number[];
}

export async function sign(draft: Draft, how: Signing, options: SignOptions): Promise<Draft> {
  switch (how) {
    case 'v4':
      return signV4(draft, options.payloadHash ?? sha256Hex(draft.body), options);
    case 'v4-unsigned-payload':
      return signV4(draft, 'UNSIGNED-PAYLOAD', options);
    case 'v4-streaming':
    case 'v4-streaming-bad':
    case 'v4-streaming-trailer':
    case 'v4-streaming-unsigned-trailer':
      return signStreaming(draft, how, options);
    case 'v2':
    case 'v2-amzdate':
      return signV2(draft, how, options);
    case 'presign-v4':
      return presignV4(draft, options);
    case 'presign-v2':
      return presignV2(draft, options);
  }
}

// What @smithy/signature-v4 asks for is a constructor of a hash, with or without a key.
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' ? secret : secret && new Uint8Array(secret as ArrayBuffer);
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('not used by the signer');
  }
}

function signerV4({ key, region = 'us-east-1' }: SignOptions): SignatureV4 {
  const credentials = { accessKeyId: key.accessKey, secretAccessKey: key.secretKey };
  return new SignatureV4({ service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false });
}

function toSmithy(draft: Draft) {
  const query: Record<string, string> = {};
  for (const [name, value] of draft.query) query[name] = value ?? '';
  const hostname = (draft.headers['host'] ?? '').replace(/:\d+$/, '');
  return { method: draft.method, protocol: 'http:', hostname, path: draft.path, query, headers: { ...draft.headers } };
}

async function signV4(draft: Draft, payloadHash: string, options: SignOptions): Promise<Draft> {
  const request = toSmithy({ ...draft, headers: { ...draft.headers, 'x-amz-content-sha256': payloadHash } });
  const { headers } = await signerV4(options).sign(request, { signingDate: options.at });
  return { ...draft, headers };
}

async function presignV4(draft: Draft, options: SignOptions): Promise<Draft> {
  // The hash goes into the query with the rest, as the AWS SDK for JavaScript does; other clients leave it out.
  const headers = { host: draft.headers['host'] ?? '', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const { query } = await signerV4(options).presign(toSmithy({ ...draft, headers }), {
    signingDate: options.at,
    expiresIn: options.expiresSeconds ?? 300,
  });
  return { ...draft, query: Object.entries(query ?? {}).map(([name, value]) => [name, String(value)]) };
}

async function signStreaming(draft: Draft, how: Signing, options: SignOptions): Promise<Draft> {
  const trailer = how.endsWith('-trailer') ? `x-amz-checksum-crc32:${crc32Base64(draft.body)}` : undefined;
  const signed = how !== 'v4-streaming-unsigned-trailer';
  const kind = signed ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' : 'STREAMING-UNSIGNED-PAYLOAD';
  const framing = {
    chunks: options.chunks ?? [draft.body.length],
    signed,
    trailer,
    spoiled: how === 'v4-streaming-bad',
  };
  // The length of the framing does not depend on the signatures in it, so it is known before the headers are signed.
  const lengthBytes = frame(draft.body, framing, '0'.repeat(64), Buffer.alloc(0), '', '').length;
  const headers = {
    ...draft.headers,
    'x-amz-decoded-content-length': String(draft.body.length),
    'content-encoding': 'aws-chunked',
    'content-length': String(lengthBytes),
    ...(trailer ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {}),
  };
  const head = await signV4({ ...draft, headers }, trailer ? `${kind}-TRAILER` : kind, options);
  const seed = /Signature=([0-9a-f]{64})/.exec(head.headers['authorization'] ?? '')?.[1] ?? '';
  const stamp = head.headers['x-amz-date'] ?? '';
  const [day, region] = [stamp.slice(0, 8), options.region ?? 'us-east-1'];
  const signingKey = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => hmac('sha256', key, part),
    Buffer.from(`AWS4${options.key.secretKey}`),
  );
  return { ...head, body: frame(draft.body, framing, seed, signingKey, stamp, `${day}/${region}/s3/aws4_request`) };
}

interface Framing {
  readonly chunks: readonly number[];
  readonly signed: boolean;
  readonly trailer: string | undefined;
  /** The first chunk's signature is zeros. */
  readonly spoiled: boolean;
}

function frame(body: Uint8Array, framing: Framing, seed: string, key: Buffer, stamp: string, scope: string): Buffer {
  const out: Uint8Array[] = [];
  let previous = seed;
  let offset = 0;
  const next = (kind: string, ...rest: readonly string[]): string => {
    previous = hmac('sha256', key, [kind, stamp, scope, previous, ...rest].join('\n')).toString('hex');
    return previous;
  };
  for (const [index, size] of [...framing.chunks, 0].entries()) {
    const chunk = body.subarray(offset, offset + size);
    offset += size;
    const signature = framing.signed
      ? next('AWS4-HMAC-SHA256-PAYLOAD', sha256Hex(Buffer.alloc(0)), sha256Hex(chunk))
      : undefined;
    const shown = framing.spoiled && index === 0 ? '0'.repeat(64) : signature;
    out.push(Buffer.from(`${chunk.length.toString(16)}${shown === undefined ? '' : `;chunk-signature=${shown}`}\r\n`));
    out.push(chunk);
    if (size > 0 || framing.trailer === undefined) out.push(Buffer.from('\r\n'));
  }
  if (framing.trailer !== undefined) {
    out.push(Buffer.from(`${framing.trailer}\r\n`));
    if (framing.signed) {
      const signature = next('AWS4-HMAC-SHA256-TRAILER', sha256Hex(Buffer.from(`${framing.trailer}\n`)));
      out.push(Buffer.from(`x-amz-trailer-signature:${signature}\r\n`));
    }
    out.push(Buffer.from('\r\n'));
  }
  return Buffer.concat(out);
}

function signV2(draft: Draft, how: 'v2' | 'v2-amzdate', { key, at }: SignOptions): Draft {
  const date = at.toUTCString();
  const headers = { ...draft.headers, [how === 'v2' ? 'date' : 'x-amz-date']: date };
  const toSign = stringToSignV2({ ...draft, headers }, how === 'v2' ? date : '');
  return { ...draft, headers: { ...headers, authorization: `AWS ${key.accessKey}:${signatureV2(key, toSign)}` } };
}

function presignV2(draft: Draft, { key, at, expiresSeconds = 300 }: SignOptions): Draft {
  const expires = String(Math.floor(at.getTime() / 1000) + expiresSeconds);
  const signature = signatureV2(key, stringToSignV2(draft, expires));
  const added: Query = [
    ['AWSAccessKeyId', key.accessKey],
    ['Expires', expires],
    ['Signature', signature],
  ];
  return { ...draft, query: [...draft.query, ...added] };
}

const SIGNED_BY_V2 = new Set(
  'acl cors delete lifecycle location logging notification partNumber policy requestPayment tagging torrent uploadId uploads versionId versioning versions website'.split(
    ' ',
  ),
);

function stringToSignV2({ method, path, query, headers }: Draft, date: string): string {
  const amz = Object.keys(headers)
    .filter((name) => name.startsWith('x-amz-'))
    .sort()
    .map((name) => `${name}:${headers[name]}\n`);
  const sub = query
    .filter(([name]) => SIGNED_BY_V2.has(name) || name.startsWith('response-'))
    .map(([name, value]) => (value === null || value === '' ? name : `${name}=${value}`))
    .sort();
  const resource = path + (sub.length === 0 ? '' : `?${sub.join('&')}`);
  const head = [method, headers['content-md5'] ?? '', headers['content-type'] ?? '', date].join('\n');
  return `${head}\n${amz.join('')}${resource}`;
}

function signatureV2({ secretKey }: Key, toSign: string): string {
  return hmac('sha1', Buffer.from(secretKey), toSign).toString('base64');
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function crc32Base64(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}

function hmac(algorithm: 'sha1' | 'sha256', key: Uint8Array, text: string): Buffer {
  return createHmac(algorithm, key).update(text).digest();
}
