import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpHeaders, HttpRequest } from '../http.ts';
import { parseQuery } from '../wire/encoding.ts';
import type { SigV2Credential } from './credential.ts';

/** The parameters that are part of the resource, and so of the signature; all others are not signed by version 2. */
const SUB_RESOURCES: ReadonlySet<string> = new Set([
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'delete',
  'encryption',
  'inventory',
  'lifecycle',
  'location',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'partNumber',
  'policy',
  'replication',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'select',
  'select-type',
  'storageClass',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

/**
 * Whether the signature of a request is that of `secretKey`, compared in constant time. `hostBucket` is the bucket that was named by the
 * Host header, if it was: it is signed as a part of the path.
 * Source: S3 user guide, "Signing and authenticating REST requests (AWS Signature Version 2)".
 */
export function verifySigV2(
  credential: SigV2Credential,
  request: Pick<HttpRequest, 'method' | 'rawPath' | 'rawQuery' | 'headers'>,
  secretKey: string,
  hostBucket?: string,
): boolean {
  const { headers, method } = request;
  const given = Buffer.from(credential.signature, 'base64');
  const head = [
    method,
    headers.get('content-md5') ?? '',
    headers.get('content-type') ?? '',
    signedDate(credential, headers),
    canonicalAmzHeaders(headers),
  ].join('\n');
  const path = hostBucket === undefined ? request.rawPath : `/${hostBucket}${request.rawPath}`;
  const query = canonicalQuery(request.rawQuery);
  return pathsOf(path).some((signed) => {
    const expected = createHmac('sha1', secretKey).update(`${head}${signed}${query}`).digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** botocore signs a bucket with a slash behind it, though it sends none. */
function pathsOf(path: string): readonly string[] {
  return /^\/[^/]+$/.test(path) ? [path, `${path}/`] : [path];
}

/** x-amz-date is signed among the x-amz-* headers, and then not a second time. */
function signedDate(credential: SigV2Credential, headers: HttpHeaders): string {
  if (credential.expires !== undefined) {
    return credential.expires;
  }
  return headers.get('x-amz-date') === undefined ? (headers.get('date') ?? '') : '';
}

function canonicalAmzHeaders(headers: HttpHeaders): string {
  const names = new Set<string>();
  for (const [name] of headers.entries()) {
    if (name.startsWith('x-amz-')) {
      names.add(name);
    }
  }
  return [...names]
    .sort()
    .map((name) => `${name}:${headers.all(name).join(',')}\n`)
    .join('');
}

function canonicalQuery(rawQuery: string): string {
  const signed = parseQuery(rawQuery)
    .entries.filter(([name]) => SUB_RESOURCES.has(name))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .sort();
  return signed.length === 0 ? '' : `?${signed.join('&')}`;
}
