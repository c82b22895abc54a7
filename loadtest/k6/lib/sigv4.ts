// Signature version 4 for k6, whose JavaScript has no Node and no WebCrypto hash that is synchronous.
// Source: S3 API reference, "Signature calculations for the authorization header: transferring payload in a single chunk".
import { hmac, sha256 } from 'k6/crypto';

export interface Signer {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface Unsigned {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'POST';
  /** host:port, as in the URL. */
  readonly host: string;
  /** Percent-encoded, without a query. */
  readonly path: string;
  /** As it stands in the URL: encoded by `queryOf`. */
  readonly query: string;
  /** Further fields to sign, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | ArrayBuffer;
}

const REGION = 'us-east-1';
const EMPTY_SHA256 = sha256('', 'hex');

/** The header fields of a request that the signer signs now: its own ones and the signature's. */
export function signedHeaders(signer: Signer, request: Unsigned): Record<string, string> {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = stamp.slice(0, 8);
  const payloadHash = request.body === '' ? EMPTY_SHA256 : sha256(request.body, 'hex');
  const fields: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': stamp,
  };
  const names = Object.keys(fields).sort();
  const lines = names.map((name) => `${name}:${fields[name]}\n`).join('');
  const canonical = `${request.method}\n${request.path}\n${request.query}\n${lines}\n${names.join(';')}\n${payloadHash}`;
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(canonical, 'hex')}`;
  const signature = hmac('sha256', signingKey(signer.secretKey, day), toSign, 'hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${signer.accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  // k6 sets Host itself, from the URL.
  return { ...request.headers, authorization, 'x-amz-content-sha256': payloadHash, 'x-amz-date': stamp };
}

/** A query in the order and the encoding that are signed. */
export function queryOf(parameters: Readonly<Record<string, string>>): string {
  return Object.keys(parameters)
    .sort()
    .map((name) => `${encode(name)}=${encode(parameters[name] ?? '')}`)
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

// A day's key of one signer, which is all that a user of a test needs.
let known: { readonly of: string; readonly key: ArrayBuffer } | undefined;

function signingKey(secretKey: string, day: string): ArrayBuffer {
  const of = `${day} ${secretKey}`;
  if (known?.of === of) return known.key;
  let key = hmac('sha256', `AWS4${secretKey}`, day, 'binary');
  for (const part of [REGION, 's3', 'aws4_request']) key = hmac('sha256', key, part, 'binary');
  known = { of, key };
  return key;
}
