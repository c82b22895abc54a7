import { describe, expect, it } from 'vitest';
import { judgeRead, readConditions } from '../../../src/s3/wire/conditions.ts';
import { matchesEtag, parseEntityTags, unquoteEtag } from '../../../src/s3/wire/etag.ts';

describe('an ETag', () => {
  it.each([
    ['*', { kind: 'any' }],
    [' * ', { kind: 'any' }],
    ['"a"', { kind: 'list', tags: [{ weak: false, value: 'a' }] }],
    ['a', { kind: 'list', tags: [{ weak: false, value: 'a' }] }],
    ['W/"a"', { kind: 'list', tags: [{ weak: true, value: 'a' }] }],
    ['""', { kind: 'list', tags: [{ weak: false, value: '' }] }],
    ['', { kind: 'list', tags: [] }],
    [
      '"a,b" , W/"c",d',
      {
        kind: 'list',
        tags: [
          { weak: false, value: 'a,b' },
          { weak: true, value: 'c' },
          { weak: false, value: 'd' },
        ],
      },
    ],
  ])('list %j is read', (header, expected) => {
    expect(parseEntityTags(header)).toEqual(expected);
  });

  it('matches with or without quotes, and strongly only if it is strong', () => {
    const tags = parseEntityTags('W/"a", "b"');
    expect(matchesEtag(tags, '"a"', 'weak')).toBe(true);
    expect(matchesEtag(tags, '"a"', 'strong')).toBe(false);
    expect(matchesEtag(tags, 'b', 'strong')).toBe(true);
    expect(matchesEtag(tags, '"c"', 'weak')).toBe(false);
    expect(matchesEtag(parseEntityTags('*'), '"c"', 'strong')).toBe(true);
    expect(unquoteEtag('"')).toBe('"');
  });
});

const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';
const SAME = 'Sun, 06 Nov 1994 08:49:37 GMT';
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const OBJECT = { etag: '"e"', lastModifiedMs: Date.UTC(1994, 10, 6, 8, 49, 37, 500) };

function conditions(fields: Record<string, string>, prefix?: string) {
  return readConditions((name) => fields[name], prefix);
}

describe('the conditions of a read', () => {
  it.each([
    [{}, 'proceed'],
    [{ 'if-match': '"e"' }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': '"x"' }, 'precondition-failed'],
    [{ 'if-match': 'W/"e"' }, 'precondition-failed'],
    [{ 'if-match': '"x"', 'if-none-match': '"e"' }, 'precondition-failed'],
    [{ 'if-none-match': '"e"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"e"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"x"' }, 'proceed'],
    [{ 'if-modified-since': EARLIER }, 'proceed'],
    [{ 'if-modified-since': SAME }, 'not-modified'],
    [{ 'if-modified-since': LATER }, 'not-modified'],
    [{ 'if-modified-since': 'soon' }, 'proceed'],
    [{ 'if-unmodified-since': EARLIER }, 'precondition-failed'],
    [{ 'if-unmodified-since': SAME }, 'proceed'],
    [{ 'if-unmodified-since': LATER }, 'proceed'],
    [{ 'if-unmodified-since': 'soon' }, 'proceed'],
    [{ 'if-match': '"e"', 'if-unmodified-since': EARLIER }, 'proceed'],
    [{ 'if-none-match': '"x"', 'if-modified-since': LATER }, 'proceed'],
    [{ 'if-unmodified-since': LATER, 'if-none-match': '"e"' }, 'not-modified'],
  ])('%o', (fields, verdict) => {
    expect(judgeRead(conditions(fields as Record<string, string>), OBJECT)).toBe(verdict);
  });

  it('on a date that is not known are ignored', () => {
    expect(judgeRead(conditions({ 'if-modified-since': LATER }), { etag: '"e"' })).toBe('proceed');
    expect(judgeRead(conditions({ 'if-unmodified-since': EARLIER }), { etag: '"e"' })).toBe('proceed');
  });

  it('of a copy have a prefix', () => {
    const source = conditions({ 'x-amz-copy-source-if-match': '"x"', 'if-match': '"e"' }, 'x-amz-copy-source-');
    expect(judgeRead(source, OBJECT)).toBe('precondition-failed');
  });
});
