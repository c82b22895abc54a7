import { describe, expect, it } from 'vitest';
import { parseCredential } from '../../../src/s3/auth/credential.ts';
import { verifySigV2 } from '../../../src/s3/auth/sigv2.ts';
import { EXAMPLE_KEY, EXAMPLE_SECRET, requestOf, type SignedParts } from './requests.ts';

function verifies(request: SignedParts, nowMs: number, hostBucket?: string, secretKey = EXAMPLE_SECRET): boolean {
  const credential = parseCredential(request, nowMs);
  if (credential.kind !== 'sigv2') {
    throw new Error(`expected a V2 signature, not ${credential.kind}`);
  }
  expect(credential.accessKey).toBe(EXAMPLE_KEY);
  return verifySigV2(credential, request, secretKey, hostBucket);
}

function signed(
  method: string,
  target: string,
  date: string,
  signature: string,
  fields: readonly (readonly [string, string])[] = [],
): SignedParts {
  return requestOf(method, target, [
    ['Host', 'johnsmith.s3.amazonaws.com'],
    ['Date', date],
    ...fields,
    ['Authorization', `AWS ${EXAMPLE_KEY}:${signature}`],
  ]);
}

/** S3 user guide, "Signing and authenticating REST requests (AWS Signature Version 2)": the examples of virtual-hosted buckets. */
const EXAMPLES: readonly (readonly [string, SignedParts, string | undefined])[] = [
  [
    'Object GET',
    signed('GET', '/photos/puppy.jpg', 'Tue, 27 Mar 2007 19:36:42 +0000', 'bWq2s1WEIj+Ydj0vQ697zp+IXMU='),
    'johnsmith',
  ],
  [
    'Object PUT',
    signed('PUT', '/photos/puppy.jpg', 'Tue, 27 Mar 2007 21:15:45 +0000', 'MyyxeRY7whkBe+bq8fHCL/2kKUg=', [
      ['Content-Type', 'image/jpeg'],
      ['Content-Length', '94328'],
    ]),
    'johnsmith',
  ],
  [
    'List',
    signed(
      'GET',
      '/?prefix=photos&max-keys=50&marker=puppy',
      'Tue, 27 Mar 2007 19:42:41 +0000',
      'htDYFYduRNen8P9ZfE/s9SuKy0U=',
    ),
    'johnsmith',
  ],
  ['Fetch', signed('GET', '/?acl', 'Tue, 27 Mar 2007 19:44:46 +0000', 'c2WLPFtWHVgbEmeEG93a4cG37dM='), 'johnsmith'],
  [
    'Upload',
    signed('PUT', '/db-backup.dat.gz', 'Tue, 27 Mar 2007 21:06:08 +0000', 'ilyl83RwaSoYIEdixDQcA4OnAnc=', [
      ['x-amz-acl', 'public-read'],
      ['content-type', 'application/x-download'],
      ['Content-MD5', '4gJE4saaMU4BqNR0kLY+lw=='],
      ['X-Amz-Meta-ReviewedBy', 'joe@johnsmith.net'],
      ['X-Amz-Meta-ReviewedBy', 'jane@johnsmith.net'],
      ['X-Amz-Meta-FileChecksum', '0x02661779'],
      ['X-Amz-Meta-ChecksumAlgorithm', 'crc32'],
      ['Content-Disposition', 'attachment; filename=database.dat'],
      ['Content-Encoding', 'gzip'],
    ]),
    'static.johnsmith.net',
  ],
  [
    'List all my buckets',
    signed('GET', '/', 'Wed, 28 Mar 2007 01:29:59 +0000', 'qGdzdERIC03wnaRNKh6OqZehG9s='),
    undefined,
  ],
  [
    'Unicode keys',
    signed(
      'GET',
      '/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re',
      'Wed, 28 Mar 2007 01:49:49 +0000',
      'DNEZGsoieTZ92F3bUfSPQcbGmlM=',
    ),
    undefined,
  ],
];

describe('the version 2 signatures in AWS’ documentation', () => {
  it.each(EXAMPLES)('%s', (_name, request, hostBucket) => {
    const nowMs = Date.parse(request.headers.get('date') ?? '');
    expect(verifies(request, nowMs, hostBucket)).toBe(true);
    expect(verifies(request, nowMs, hostBucket, 'another')).toBe(false);
    expect(verifies({ ...request, method: 'POST' }, nowMs, hostBucket)).toBe(false);
    expect(verifies({ ...request, rawPath: `${request.rawPath}x` }, nowMs, hostBucket)).toBe(false);
  });

  it('Query string authentication', () => {
    const request = requestOf(
      'GET',
      `/photos/puppy.jpg?AWSAccessKeyId=${EXAMPLE_KEY}&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620`,
      { Host: 'johnsmith.s3.amazonaws.com' },
    );
    expect(verifies(request, 1_175_139_620_000, 'johnsmith')).toBe(true);
    expect(verifies({ ...request, rawPath: '/photos/kitten.jpg' }, 1_175_139_620_000, 'johnsmith')).toBe(false);
  });
});
