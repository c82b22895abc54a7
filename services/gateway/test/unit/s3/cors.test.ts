import { describe, expect, it } from 'vitest';
import { createCors } from '../../../src/s3/cors.ts';
import { S3Error } from '../../../src/s3/errors.ts';
import type { HttpHeaders, HttpRequest } from '../../../src/s3/http.ts';

function request(method: string, fields: Readonly<Record<string, string>>): HttpRequest {
  const headers: HttpHeaders = {
    get: (name) => fields[name],
    all: (name) => (fields[name] === undefined ? [] : [fields[name]]),
    entries: () => Object.entries(fields),
    sizeBytes: 0,
  };
  const body = { lengthBytes: 0, async *[Symbol.asyncIterator]() {} };
  return { method, rawPath: '/b/k', rawQuery: '', headers, body, signal: new AbortController().signal };
}

const allowedOf = (origins: readonly string[], origin: string): string | undefined =>
  new Map(createCors(origins).fieldsFor(request('GET', { origin }))).get('Access-Control-Allow-Origin');

const preflight = (origins: readonly string[], fields: Readonly<Record<string, string>>) => {
  try {
    return createCors(origins).preflight(request('OPTIONS', fields));
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
};

describe('a page', () => {
  it.each([
    [['https://app.example.com'], 'https://app.example.com', 'https://app.example.com'],
    [['https://app.example.com'], 'https://app.example.com.evil.org', undefined],
    [['https://app.example.com'], 'http://app.example.com', undefined],
    [['https://*.example.com'], 'https://a.b.example.com', 'https://a.b.example.com'],
    [['https://*.example.com'], 'https://example.com', undefined],
    [['https://a.org', 'http://localhost:*'], 'http://localhost:3000', 'http://localhost:3000'],
    [['https://a.org', '*'], 'null', '*'],
    [[], 'https://app.example.com', undefined],
  ])('of one of %j may see an answer: %s', (origins, origin, allowed) => {
    expect(allowedOf(origins, origin)).toBe(allowed);
  });

  it('that is any is told so without credentials, a certain one with', () => {
    const fieldsOf = (origins: readonly string[]) =>
      new Map(createCors(origins).fieldsFor(request('GET', { origin: 'https://a.org' })));
    expect(fieldsOf(['*']).has('Access-Control-Allow-Credentials')).toBe(false);
    expect(fieldsOf(['https://a.org']).get('Access-Control-Allow-Credentials')).toBe('true');
    expect(fieldsOf(['https://a.org']).get('Access-Control-Expose-Headers')).toContain('ETag');
  });

  it('is nothing that a cache may confuse with another', () => {
    const fields = createCors(['https://a.org']).fieldsFor(request('GET', {}));
    expect(fields.map(([name]) => name)).toEqual(['Vary']);
    expect(createCors([]).fieldsFor(request('GET', { origin: 'https://a.org' }))).toEqual([]);
  });
});

describe('a preflight', () => {
  const asked = { origin: 'https://a.org', 'access-control-request-method': 'PUT' };

  it('allows every method of S3, and the headers that it names', () => {
    const answer = preflight(['https://a.org'], {
      ...asked,
      'access-control-request-headers': 'x-amz-date, authorization',
    });
    expect(answer).toMatchObject({ status: 200 });
    const fields = new Map((answer as Exclude<typeof answer, string>).headers);
    expect(fields.get('Access-Control-Allow-Origin')).toBe('https://a.org');
    expect(fields.get('Access-Control-Allow-Methods')).toBe('GET, PUT, POST, DELETE, HEAD');
    expect(fields.get('Access-Control-Allow-Headers')).toBe('x-amz-date, authorization');
  });

  it.each([
    [{}, 'BadRequest'],
    [{ origin: 'https://a.org' }, 'BadRequest'],
    [{ ...asked, 'access-control-request-method': 'PATCH' }, 'BadRequest'],
    [{ ...asked, origin: 'https://b.org' }, 'AccessForbidden'],
  ])('with %j is %s', (fields, code) => {
    expect(preflight(['https://a.org'], fields)).toBe(code);
  });

  it('is refused where no page may ask', () => {
    expect(preflight([], asked)).toBe('AccessForbidden');
  });
});
