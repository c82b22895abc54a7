import { describe, expect, it } from 'vitest';
import { parseCredential } from '../../../src/s3/auth/credential.ts';
import { verifySigV4 } from '../../../src/s3/auth/sigv4.ts';
import { EXAMPLE_KEY, EXAMPLE_SECRET, requestOf, type SignedParts, v4 } from './requests.ts';

const AT = Date.UTC(2013, 4, 24);
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const SCOPE = `${EXAMPLE_KEY}/20130524/us-east-1/s3/aws4_request`;

function verifies(request: SignedParts, secretKey = EXAMPLE_SECRET): boolean {
  return verifySigV4(v4(parseCredential(request, AT)), request, secretKey);
}

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${SCOPE},SignedHeaders=${signedHeaders},Signature=${signature}`;
}

/** S3 API reference, "Examples: Signature calculations" and "Authenticating requests: Using query parameters". */
const EXAMPLES: readonly (readonly [name: string, request: SignedParts])[] = [
  [
    'GET Object',
    requestOf('GET', '/test.txt', {
      Host: 'examplebucket.s3.amazonaws.com',
      Range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY,
      'x-amz-date': '20130524T000000Z',
      Authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    }),
  ],
  [
    'PUT Object',
    requestOf('PUT', '/test$file.text', {
      Host: 'examplebucket.s3.amazonaws.com',
      Date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      Authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    }),
  ],
  [
    'GET Bucket Lifecycle',
    requestOf('GET', '/?lifecycle', {
      Host: 'examplebucket.s3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': EMPTY,
      Authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    }),
  ],
  [
    'Get Bucket (List Objects)',
    requestOf('GET', '/?max-keys=2&prefix=J', {
      Host: 'examplebucket.s3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': EMPTY,
      Authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    }),
  ],
  [
    'a presigned GET',
    requestOf(
      'GET',
      `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(SCOPE)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
      { Host: 'examplebucket.s3.amazonaws.com' },
    ),
  ],
  [
    'the seed of a body in signed chunks',
    requestOf('PUT', '/examplebucket/chunkObject.txt', {
      Host: 's3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'Content-Encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '66560',
      'Content-Length': '66824',
      Authorization: authorization(
        'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
        '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      ),
    }),
  ],
];

describe('the signatures in AWS’ documentation', () => {
  it.each(EXAMPLES)('%s', (_name, request) => {
    expect(verifies(request)).toBe(true);
  });

  it.each(EXAMPLES)('%s, but with another secret key', (_name, request) => {
    expect(verifies(request, `${EXAMPLE_SECRET}x`)).toBe(false);
  });

  it.each(EXAMPLES)('%s, but of another method, path, query or host', (_name, request) => {
    const { headers } = request;
    const otherHost = { ...headers, all: (name: string) => (name === 'host' ? ['other'] : headers.all(name)) };
    const others: SignedParts[] = [
      { ...request, method: 'DELETE' },
      { ...request, rawPath: `${request.rawPath}x` },
      { ...request, rawQuery: `${request.rawQuery}&x=1` },
      { ...request, headers: otherHost },
    ];
    const credential = v4(parseCredential(request, AT));
    for (const other of others) {
      expect(verifySigV4(credential, other, EXAMPLE_SECRET)).toBe(false);
    }
  });
});

describe('a request that is sent in another encoding than it is signed', () => {
  const [, get] = EXAMPLES[0]!;
  const [, put] = EXAMPLES[1]!;
  const [, list] = EXAMPLES[3]!;

  it.each([
    ['an encoded unreserved character', { ...get, rawPath: '/%74est.txt' }],
    ['an encoded reserved character', { ...put, rawPath: '/test%24file.text' }],
    ['parameters in another order', { ...list, rawQuery: 'prefix=J&max-keys=2' }],
    ['an encoded parameter', { ...list, rawQuery: 'prefix=%4a&max%2dkeys=2' }],
    ['empty parameters', { ...list, rawQuery: '&prefix=J&&max-keys=2&' }],
  ])('has the same signature: %s', (_name, request) => {
    expect(verifies(request)).toBe(true);
  });

  it.each([
    ['an encoded slash', { ...get, rawPath: '%2Ftest.txt' }],
    ['a path that is encoded twice', { ...put, rawPath: '/test%2524file.text' }],
    ['a path with dots', { ...get, rawPath: '/a/../test.txt' }],
    ['a path with two slashes', { ...get, rawPath: '//test.txt' }],
    ['a value for another', { ...list, rawQuery: 'prefix=j&max-keys=2' }],
  ])('has another signature: %s', (_name, request) => {
    expect(verifies(request)).toBe(false);
  });

  it('has the same signature with folded blanks', () => {
    const { headers } = get;
    const blanks = { ...headers, all: (name: string) => (name === 'range' ? ['  bytes=0-9\t '] : headers.all(name)) };
    expect(verifies({ ...get, headers: blanks })).toBe(true);
  });

  it('is wrong if its signature is no signature', () => {
    const credential = v4(parseCredential(get, AT));
    for (const signature of ['', 'x', 'F'.repeat(64), credential.signature.toUpperCase(), `${credential.signature}0`]) {
      expect(verifySigV4({ ...credential, signature }, get, EXAMPLE_SECRET)).toBe(false);
    }
  });
});
