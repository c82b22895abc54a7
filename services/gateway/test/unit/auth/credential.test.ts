import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCredential } from '../../../src/s3/auth/credential.ts';
import { S3Error } from '../../../src/s3/errors.ts';
import { requestOf } from './requests.ts';

const NOW = Date.UTC(2026, 1, 28, 12, 0, 0);
const SIGNATURE = 'a'.repeat(64);
const SHA256 = 'b'.repeat(64);
const SCOPE = 'a/token/20260228/us-east-1/s3/aws4_request';

function headerRequest(authorization: string, fields: Record<string, string> = {}, target = '/') {
  return requestOf('GET', target, {
    Host: 'here',
    'x-amz-date': '20260228T120000Z',
    'x-amz-content-sha256': SHA256,
    Authorization: authorization,
    ...fields,
  });
}

const SIGNED = 'host;x-amz-content-sha256;x-amz-date';
const GOOD = `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=${SIGNED}, Signature=${SIGNATURE}`;

function queryRequest(change: Record<string, string | undefined> = {}, fields: Record<string, string> = {}) {
  const parameters: Record<string, string | undefined> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': SCOPE,
    'X-Amz-Date': '20260228T120000Z',
    'X-Amz-Expires': '300',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': SIGNATURE,
    ...change,
  };
  const query = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)
    .join('&');
  return requestOf('GET', `/?${query}`, { Host: 'here', ...fields });
}

describe('a credential', () => {
  it('is anonymous without a signature', () => {
    expect(parseCredential(requestOf('GET', '/?prefix=Signature', { Host: 'here' }), NOW)).toEqual({
      kind: 'anonymous',
    });
  });

  it('is read from the Authorization header, whose access key may have slashes', () => {
    expect(parseCredential(headerRequest(GOOD), NOW)).toEqual({
      kind: 'sigv4',
      where: 'header',
      accessKey: 'a/token',
      scope: { date: '20260228', region: 'us-east-1', service: 's3' },
      signedHeaders: ['host', 'x-amz-content-sha256', 'x-amz-date'],
      signature: SIGNATURE,
      amzDate: '20260228T120000Z',
      timestampMs: NOW,
      payloadHash: SHA256,
    });
  });

  it('may be written without blanks, and dated by Date', () => {
    const request = requestOf('GET', '/', {
      Host: 'here',
      Date: 'Sat, 28 Feb 2026 12:00:00 GMT',
      'x-amz-content-sha256': SHA256,
      Authorization: GOOD.replaceAll(', ', ',').replace(';x-amz-date', ''),
    });
    expect(parseCredential(request, NOW)).toMatchObject({ amzDate: '20260228T120000Z', timestampMs: NOW });
  });

  it('is read from the query', () => {
    expect(parseCredential(queryRequest(), NOW)).toEqual({
      kind: 'sigv4',
      where: 'query',
      accessKey: 'a/token',
      scope: { date: '20260228', region: 'us-east-1', service: 's3' },
      signedHeaders: ['host'],
      signature: SIGNATURE,
      amzDate: '20260228T120000Z',
      timestampMs: NOW,
      expiresSeconds: 300,
      payloadHash: 'UNSIGNED-PAYLOAD',
    });
  });

  it('of version 2 is read from the header and from the query', () => {
    const date = 'Sat, 28 Feb 2026 12:00:00 GMT';
    const header = requestOf('GET', '/', { Host: 'here', Date: date, Authorization: 'AWS key:c2ln' });
    expect(parseCredential(header, NOW)).toEqual({
      kind: 'sigv2',
      where: 'header',
      accessKey: 'key',
      signature: 'c2ln',
    });
    const expires = String(NOW / 1000 + 1);
    const query = requestOf('GET', `/?AWSAccessKeyId=key&Signature=c2+n%3D&Expires=${expires}`, { Host: 'here' });
    expect(parseCredential(query, NOW)).toEqual({
      kind: 'sigv2',
      where: 'query',
      accessKey: 'key',
      signature: 'c2+n=',
      expires,
    });
  });
});

describe('a credential in a header is refused', () => {
  it.each([
    ['of an unknown kind', 'Bearer abc', 'InvalidArgument', 'Unsupported Authorization Type'],
    ['of an unknown V4 algorithm', GOOD.replace('SHA256', 'SHA512'), 'AuthorizationHeaderMalformed', 'algorithm'],
    ['with SigV4A', GOOD.replace('HMAC-SHA256', 'ECDSA-P256-SHA256'), 'UnsupportedSignature', 'unsupported'],
    ['without anything', 'AWS4-HMAC-SHA256', 'AuthorizationHeaderMalformed', 'missing Credential'],
    [
      'without SignedHeaders',
      GOOD.replace('SignedHeaders', 'Headers'),
      'AuthorizationHeaderMalformed',
      'missing SignedHeaders',
    ],
    ['without Signature', GOOD.replace(`=${SIGNATURE}`, '='), 'AuthorizationHeaderMalformed', 'missing Signature'],
    [
      'with a short scope',
      GOOD.replace(SCOPE, 'a/token/s3'),
      'AuthorizationHeaderMalformed',
      'Credential is mal-formed',
    ],
    ['with a bad day', GOOD.replace('20260228', '2026-02-28'), 'AuthorizationHeaderMalformed', 'incorrect date format'],
    ['of another day', GOOD.replace('20260228', '20260227'), 'AuthorizationHeaderMalformed', 'Invalid credential date'],
    ['for another service', GOOD.replace('/s3/', '/sqs/'), 'AuthorizationHeaderMalformed', 'incorrect service "sqs"'],
    ['with another end', GOOD.replace('aws4_', 'aws5_'), 'AuthorizationHeaderMalformed', 'incorrect terminal'],
    ['of version 2 without a signature', 'AWS key', 'InvalidArgument', 'Expected AwsAccessKeyId:signature'],
  ])('%s', (_name, authorization, code, message) => {
    expect(() => parseCredential(headerRequest(authorization), NOW)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('beside one in the query', () => {
    const request = headerRequest(GOOD, {}, '/?X-Amz-Algorithm=AWS4-HMAC-SHA256');
    expect(() => parseCredential(request, NOW)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });

  it.each([
    ['V4', GOOD],
    ['V2', 'AWS key:c2ln'],
  ])('%s without a date', (_name, authorization) => {
    for (const date of ['', 'yesterday', '20260230T120000Z']) {
      expect(() => parseCredential(headerRequest(authorization, { 'x-amz-date': date }), NOW)).toThrow(
        expect.objectContaining({ code: 'AccessDenied', message: expect.stringContaining('valid Date') }),
      );
    }
  });

  it.each([
    ['V4', GOOD],
    ['V2', 'AWS key:c2ln'],
  ])('%s more than 15 minutes off', (_name, authorization) => {
    const request = headerRequest(authorization);
    for (const offMs of [-900_000, 900_000]) {
      expect(parseCredential(request, NOW + offMs).kind).not.toBe('anonymous');
      expect(() => parseCredential(request, NOW + offMs + Math.sign(offMs))).toThrow(
        expect.objectContaining({ code: 'RequestTimeTooSkewed', status: 403 }),
      );
    }
  });

  it('without x-amz-content-sha256, or with one that says nothing', () => {
    const absent = requestOf('GET', '/', {
      Host: 'here',
      'x-amz-date': '20260228T120000Z',
      Authorization: GOOD.replace('x-amz-content-sha256;', ''),
    });
    expect(() => parseCredential(absent, NOW)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
    for (const value of ['', 'abc', 'UNSIGNED', `${SHA256}0`, 'STREAMING-AWS4-HMAC-SHA256']) {
      expect(() => parseCredential(headerRequest(GOOD, { 'x-amz-content-sha256': value }), NOW)).toThrow(
        expect.objectContaining({ code: 'InvalidArgument' }),
      );
    }
  });

  it('that leaves an x-amz header or the host unsigned', () => {
    const added = headerRequest(GOOD, { 'x-amz-acl': 'public-read' });
    expect(() => parseCredential(added, NOW)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', elements: [['HeadersNotSigned', 'x-amz-acl']] }),
    );
    const noHost = headerRequest(GOOD.replace('host;', ''));
    expect(() => parseCredential(noHost, NOW)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', elements: [['HeadersNotSigned', 'host']] }),
    );
  });
});

describe('a credential in a query is refused', () => {
  it.each([
    ['X-Amz-Algorithm', undefined, 'requires'],
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA1', 'algorithm'],
    ['X-Amz-Credential', undefined, 'requires'],
    ['X-Amz-Credential', 'key', 'mal-formed'],
    ['X-Amz-Credential', SCOPE.replace('20260228', '20260227'), 'Invalid credential date'],
    ['X-Amz-Signature', undefined, 'requires'],
    ['X-Amz-SignedHeaders', undefined, 'requires'],
    ['X-Amz-Date', undefined, 'requires'],
    ['X-Amz-Date', 'Sat, 28 Feb 2026 12:00:00 GMT', 'ISO8601'],
    ['X-Amz-Expires', undefined, 'requires'],
    ['X-Amz-Expires', 'soon', 'should be a number'],
    ['X-Amz-Expires', '-1', 'must be non-negative'],
    ['X-Amz-Expires', '604801', 'less than a week'],
  ])('with %s %s', (name, value, message) => {
    expect(() => parseCredential(queryRequest({ [name]: value }), NOW)).toThrow(
      expect.objectContaining({
        code: 'AuthorizationQueryParametersError',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('after its time, and long before', () => {
    expect(parseCredential(queryRequest(), NOW + 300_000).kind).toBe('sigv4');
    expect(() => parseCredential(queryRequest(), NOW + 300_001)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', message: 'Request has expired' }),
    );
    expect(() => parseCredential(queryRequest({ 'X-Amz-Expires': '0' }), NOW)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', message: 'Request has expired' }),
    );
    expect(parseCredential(queryRequest(), NOW - 900_000).kind).toBe('sigv4');
    expect(() => parseCredential(queryRequest(), NOW - 900_001)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', message: 'Request is not yet valid' }),
    );
  });

  it('with an x-amz header that is not signed', () => {
    expect(() => parseCredential(queryRequest({}, { 'x-amz-meta-a': 'b' }), NOW)).toThrow(
      expect.objectContaining({ code: 'AccessDenied' }),
    );
  });

  it.each([
    ['without a part', '/?AWSAccessKeyId=key&Signature=c2ln'],
    ['with a bad time', '/?AWSAccessKeyId=key&Signature=c2ln&Expires=soon'],
    ['after its time', `/?AWSAccessKeyId=key&Signature=c2ln&Expires=${NOW / 1000 - 1}`],
  ])('of version 2 %s', (_name, target) => {
    expect(() => parseCredential(requestOf('GET', target, { Host: 'here' }), NOW)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', status: 403 }),
    );
  });
});

describe('whatever is sent', () => {
  const token = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'AWS',
      'AWS4-HMAC-SHA256',
      'Credential=',
      SCOPE,
      ',',
      '=',
      ' ',
      'SignedHeaders=',
      'Signature=',
      SIGNED,
      '%',
      '&',
    ),
  );
  const text = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''));

  it('is a credential or a coded error', () => {
    fc.assert(
      fc.property(text, text, fc.boolean(), (authorization, query, inHeader) => {
        const target = inHeader ? '/' : `/?X-Amz-Algorithm=AWS4-HMAC-SHA256&${query}`;
        const request = inHeader ? headerRequest(authorization) : requestOf('GET', target, { Host: 'here' });
        try {
          expect(parseCredential(request, NOW)).toHaveProperty('kind');
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
