import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { HttpHeaders, HttpRequest } from '../http.ts';
import type { SigV4Credential } from './credential.ts';
import { formatScope, signingKey } from './signing-key.ts';

/**
 * Whether the signature of a request is that of `secretKey`, compared in constant time.
 * Source: S3 API reference, "Signature calculations for the authorization header: transferring payload in a single chunk".
 *
 * Paths and queries are brought into the one encoding that S3 signs, so that a client may send another than it signed. One that
 * signs just what it sends, in whatever encoding, is right too: both name the same resource.
 */
export function verifySigV4(
  credential: SigV4Credential,
  request: Pick<HttpRequest, 'method' | 'rawPath' | 'rawQuery' | 'headers'>,
  secretKey: string,
): boolean {
  if (!/^[0-9a-f]{64}$/.test(credential.signature)) {
    return false;
  }
  const key = signingKey(secretKey, credential.scope);
  const path = canonicalPath(request.rawPath);
  const query = canonicalQuery(request.rawQuery, canonicalParameter);
  const headers = canonicalHeaders(credential.signedHeaders, request.headers);
  const matches = (signedPath: string, signedQuery: string) =>
    isSignature(
      credential.signature,
      key,
      stringToSign(
        credential,
        `${request.method}\n${signedPath}\n${signedQuery}\n${headers}\n${credential.payloadHash}`,
      ),
    );
  if (matches(path, query)) {
    return true;
  }
  const queryAsSent = canonicalQuery(request.rawQuery, (text) => text);
  return (path !== request.rawPath || query !== queryAsSent) && matches(request.rawPath, queryAsSent);
}

/** Whether `signature` (64 hex digits) is the HMAC-SHA256 of a text; takes the same time wherever they differ. */
export function isSignature(signature: string, key: Buffer, text: string): boolean {
  return timingSafeEqual(createHmac('sha256', key).update(text).digest(), Buffer.from(signature, 'hex'));
}

function stringToSign(credential: SigV4Credential, canonicalRequest: string): string {
  return `AWS4-HMAC-SHA256\n${credential.amzDate}\n${formatScope(credential.scope)}\n${hash('sha256', canonicalRequest, 'hex')}`;
}

const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;
const PLAIN_PARAMETER = /^[A-Za-z0-9\-._~]*$/;

/** S3 neither removes dot segments nor encodes twice. An encoded slash stays encoded. */
function canonicalPath(rawPath: string): string {
  return PLAIN_PATH.test(rawPath)
    ? rawPath
    : rawPath.replace(/%[0-9a-fA-F]{2}|[^A-Za-z0-9\-._~/]/gu, canonicalCharacter);
}

/** Sorted by encoded name, then by encoded value. The signature itself is never part of what is signed. */
function canonicalQuery(rawQuery: string, encode: (text: string) => string): string {
  if (rawQuery === '') {
    return '';
  }
  const pairs: string[] = [];
  for (const item of rawQuery.split('&')) {
    const equals = item.indexOf('=');
    const name = encode(equals === -1 ? item : item.slice(0, equals));
    if (item !== '' && name.toLowerCase() !== 'x-amz-signature') {
      // A control character is below every character of an encoded name, so that `a=1` comes before `a-b=1`.
      pairs.push(`${name}\u0001${equals === -1 ? '' : encode(item.slice(equals + 1))}`);
    }
  }
  return pairs.length === 1 ? withEquals(pairs[0] ?? '') : pairs.sort().map(withEquals).join('&');
}

function withEquals(pair: string): string {
  return pair.replace('\u0001', '=');
}

/** A plus is a blank in a query. */
function canonicalParameter(text: string): string {
  return PLAIN_PARAMETER.test(text)
    ? text
    : text.replace(/%[0-9a-fA-F]{2}|[^A-Za-z0-9\-._~]/gu, (match) =>
        match === '+' ? '%20' : canonicalCharacter(match),
      );
}

/** One character or one `%xx`, as S3 encodes it: unreserved ones (RFC 3986) as they are, all others as `%XX` of their UTF-8. */
function canonicalCharacter(match: string): string {
  if (match.length === 3 && match.startsWith('%')) {
    const character = String.fromCharCode(Number.parseInt(match.slice(1), 16));
    return PLAIN_PARAMETER.test(character) ? character : match.toUpperCase();
  }
  let encoded = '';
  for (const byte of Buffer.from(match, 'utf8')) {
    encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The header lines, an empty line, and the list of names. */
function canonicalHeaders(signedHeaders: readonly string[], headers: HttpHeaders): string {
  let lines = '';
  for (const name of signedHeaders) {
    const values = headers.all(name);
    const [first = name === 'expect' ? EXPECTATION : ''] = values;
    lines += `${name}:${values.length > 1 ? values.map(foldBlanks).join(',') : foldBlanks(first)}\n`;
  }
  return `${lines}\n${signedHeaders.join(';')}`;
}

// Some clients sign Expect, and some proxies answer it themselves and take it away. It has only this value.
const EXPECTATION = '100-continue';

function foldBlanks(value: string): string {
  return /\s\s|[\t\f\v]/.test(value) ? value.replace(/\s+/g, ' ').trim() : value;
}
