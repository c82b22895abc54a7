import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { guessContentType } from '../../../src/s3/wire/content-type.ts';
import { parseCopySource } from '../../../src/s3/wire/copy-source.ts';
import { decodePath, encodeKey, parseQuery } from '../../../src/s3/wire/encoding.ts';

describe('a key with encoding-type=url', () => {
  it.each([
    ['a/b-c_d.e*f', 'a/b-c_d.e*f'],
    ['a b', 'a+b'],
    ['a+b', 'a%2Bb'],
    [`!'()~`, '%21%27%28%29%7E'],
    ['&<>"%=?#:;,@$|\\^`[]{}', '%26%3C%3E%22%25%3D%3F%23%3A%3B%2C%40%24%7C%5C%5E%60%5B%5D%7B%7D'],
    ['é漢😀', '%C3%A9%E6%BC%A2%F0%9F%98%80'],
    ['\n\0', '%0A%00'],
    ['\ud800', '%EF%BF%BD'],
  ])('%j', (key, encoded) => {
    expect(encodeKey(key)).toBe(encoded);
  });

  it('is decoded by a form decoder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(new URLSearchParams(`k=${encodeKey(key)}`).get('k')).toBe(key);
      }),
    );
  });
});

describe('a path', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a%2Fb%20c', '/a/b c'],
    ['/a+b', '/a+b'],
    ['/%C3%A9', '/é'],
    ['/%252F', '/%2F'],
    ['/%00', '/\0'],
  ])('%s is decoded', (raw, path) => {
    expect(decodePath(raw)).toBe(path);
  });

  it.each(['/%', '/%4', '/%zz', '/%FF', '/%C0%AF', '/%ED%A0%80', '/%E9'])('%s is no UTF-8', (raw) => {
    expect(() => decodePath(raw)).toThrow(expect.objectContaining({ code: 'InvalidURI', status: 400 }));
  });
});

describe('a query', () => {
  it('keeps order, empty values and names without a value', () => {
    const query = parseQuery('b=2&a=1&acl&c=&b=3&&=x&d=a+b%2Bc&%65=f');
    expect(query.entries).toEqual([
      ['b', '2'],
      ['a', '1'],
      ['acl', ''],
      ['c', ''],
      ['b', '3'],
      ['d', 'a b+c'],
      ['e', 'f'],
    ]);
    expect(query.get('b')).toBe('2');
    expect(query.get('acl')).toBe('');
    expect(query.get('none')).toBeUndefined();
    expect([query.has('acl'), query.has('none')]).toEqual([true, false]);
    expect(parseQuery('').entries).toEqual([]);
  });

  it('has limits', () => {
    expect(parseQuery('a&'.repeat(128)).entries).toHaveLength(128);
    expect(() => parseQuery('a&'.repeat(129))).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    expect(() => parseQuery('a=%FF')).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
  });

  it('is parsed or refused with a code, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (raw) => {
        try {
          parseQuery(raw);
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error);
        }
      }),
    );
  });
});

describe('a copy source', () => {
  it.each([
    ['bucket/key', { bucket: 'bucket', key: 'key' }],
    ['/bucket/a/b', { bucket: 'bucket', key: 'a/b' }],
    ['bucket/%C3%A9%20x', { bucket: 'bucket', key: 'é x' }],
    ['bucket%2Fkey', { bucket: 'bucket', key: 'key' }],
    ['bucket/a+b', { bucket: 'bucket', key: 'a+b' }],
    ['bucket/what%3F', { bucket: 'bucket', key: 'what?' }],
    ['bucket/what?', { bucket: 'bucket', key: 'what?' }],
    ['bucket/key?versionId=abc', { bucket: 'bucket', key: 'key', versionId: 'abc' }],
    ['bucket/%3FversionId=abc', { bucket: 'bucket', key: '?versionId=abc' }],
    ['bucket//key', { bucket: 'bucket', key: '/key' }],
  ])('%s', (header, expected) => {
    expect(parseCopySource(header)).toEqual(expected);
  });

  it.each([
    ['', 'InvalidArgument'],
    ['/', 'InvalidArgument'],
    ['bucket', 'InvalidArgument'],
    ['bucket/', 'InvalidArgument'],
    ['//key', 'InvalidArgument'],
    ['bucket/key?versionId=', 'InvalidArgument'],
    ['bucket/%FF', 'InvalidURI'],
  ])('%j is %s', (header, code) => {
    expect(() => parseCopySource(header)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a content type', () => {
  it.each([
    ['a/b.txt', 'text/plain; charset=utf-8'],
    ['b.CSV', 'text/csv; charset=utf-8'],
    ['x.tar.gz', 'application/gzip'],
    ['data.parquet', 'application/vnd.apache.parquet'],
    ['i.png', 'image/png'],
    ['noext', 'binary/octet-stream'],
    ['a.txt/noext', 'binary/octet-stream'],
    ['.txt', 'binary/octet-stream'],
    ['a.', 'binary/octet-stream'],
    ['a.constructor', 'binary/octet-stream'],
  ])('of %s is %s', (key, type) => {
    expect(guessContentType(key)).toBe(type);
  });
});
