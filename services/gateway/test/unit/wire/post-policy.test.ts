import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { checkPostPolicy, parsePostPolicy } from '../../../src/s3/wire/post-policy.ts';

const LATER = '2030-01-01T00:00:00.000Z';
const NOW_MS = Date.parse('2029-12-31T23:59:59Z');

const encode = (document: unknown): string => Buffer.from(JSON.stringify(document)).toString('base64');

function outcome(document: unknown, fields: Readonly<Record<string, string>> = {}, nowMs = NOW_MS): string {
  try {
    checkPostPolicy(parsePostPolicy(encode(document)), new Map(Object.entries(fields)), nowMs);
    return 'allowed';
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

const policy = (...conditions: readonly unknown[]) => ({ expiration: LATER, conditions });

describe('a policy', () => {
  it.each([
    ['no conditions', policy(), {}, 'allowed'],
    ['a simple one', policy({ acl: 'private' }), { acl: 'private' }, 'allowed'],
    ['another value', policy({ acl: 'private' }), { acl: 'public-read' }, 'AccessDenied'],
    ['no field of it', policy({ acl: 'private' }), {}, 'AccessDenied'],
    ['names in any case', policy({ bUcKeT: 'b' }, ['EQ', '$AcL', 'x']), { bucket: 'b', acl: 'x' }, 'allowed'],
    ['eq', policy(['eq', '$key', 'a']), { key: 'a' }, 'allowed'],
    ['eq of another', policy(['eq', '$key', 'a']), { key: 'ab' }, 'AccessDenied'],
    ['starts-with', policy(['starts-with', '$key', 'a/']), { key: 'a/b' }, 'allowed'],
    ['starts-with of another', policy(['starts-with', '$key', 'a/']), { key: 'b/a/' }, 'AccessDenied'],
    ['starts-with anything', policy(['starts-with', '$key', '']), { key: 'x' }, 'allowed'],
    [
      'a list of types',
      policy(['starts-with', '$Content-Type', 'image/']),
      { 'content-type': 'image/a, image/b' },
      'allowed',
    ],
    [
      'one type of another kind',
      policy(['starts-with', '$Content-Type', 'image/']),
      { 'content-type': 'image/a,text/b' },
      'AccessDenied',
    ],
    ['a field that it does not name', policy({ key: 'a' }), { key: 'a', 'x-amz-meta-b': 'c' }, 'AccessDenied'],
    [
      'fields that need no name',
      policy(),
      { policy: 'p', 'x-amz-signature': 's', 'x-ignore-me': 'i', awsaccesskeyid: 'a' },
      'allowed',
    ],
    [
      'two of one field',
      policy(['starts-with', '$key', 'a'], ['starts-with', '$key', 'ab']),
      { key: 'ac' },
      'AccessDenied',
    ],
  ])('with %s', (_, document, fields, wanted) => {
    expect(outcome(document, fields as Record<string, string>)).toBe(wanted);
  });

  it('has an end', () => {
    expect(outcome(policy(), {}, Date.parse(LATER))).toBe('allowed');
    expect(outcome(policy(), {}, Date.parse(LATER) + 1)).toBe('AccessDenied');
  });

  it.each([
    [{ conditions: [] }],
    [{ EXPIRATION: LATER, conditions: [] }],
    [{ expiration: LATER }],
    [{ expiration: LATER, CONDITIONS: [] }],
    [{ expiration: '2030-01-01 00:00:00', conditions: [] }],
    [{ expiration: 'never', conditions: [] }],
    [policy({})],
    [policy({ a: 'b', c: 'd' })],
    [policy({ a: 1 })],
    [policy(['eq', 'key', 'a'])],
    [policy(['eq', '$key'])],
    [policy(['matches', '$key', 'a'])],
    [policy('key')],
    [policy(null)],
    [policy(['content-length-range', 0])],
    [policy(['content-length-range', -1, 5])],
    [policy(['content-length-range', 'a', 5])],
    [[]],
    ['text'],
    [null],
  ])('that is none is refused: %j', (document) => {
    expect(outcome(document)).toBe('InvalidPolicyDocument');
  });

  it('that is no JSON is refused', () => {
    for (const text of ['', '{', '%%%', Buffer.from('{"a":').toString('base64')]) {
      expect(() => parsePostPolicy(text)).toThrow(expect.objectContaining({ code: 'InvalidPolicyDocument' }));
    }
  });

  it('bounds the file by all of its ranges', () => {
    const range = (from: unknown, to: unknown) => ['content-length-range', from, to];
    expect(parsePostPolicy(encode(policy(range(1, 10), range('5', '20'))))).toMatchObject({
      minBytes: 5,
      maxBytes: 10,
    });
    expect(parsePostPolicy(encode(policy()))).toMatchObject({ minBytes: 0, maxBytes: Number.POSITIVE_INFINITY });
  });
});
