import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/pfs/failure.ts';
import { foldersAbove, keyOfPath, pathIfHoldable, pathOfKey } from '../../../src/pfs/key.ts';

describe('a key', () => {
  it.each([
    ['a', '/a'],
    ['a/b/c.txt', '/a/b/c.txt'],
    ['with  blanks & marks,;$#:|~<>"\'%=.txt', '/with  blanks & marks,;$#:|~<>"\'%=.txt'],
    ['.hidden/...', '/.hidden/...'],
    ['folder/', '/folder'],
    ['k'.repeat(4096), `/${'k'.repeat(4096)}`],
  ])('%j has the path %j', (key, path) => {
    expect(pathOfKey(key)).toBe(path);
    expect(pathIfHoldable(key)).toBe(path);
  });

  it.each([
    ...[...'*?[]{}!()@+^\\'].map((character) => `a${character}b`),
    '/a',
    'a//b',
    'a//',
    '/',
    '.',
    '..',
    'a/./b',
    'a/../b',
    '../a',
    'a/..',
    'tab\tin',
    'line\nfeed',
    'nul\0',
    'del\x7f',
    'café',
    '日本',
    'k'.repeat(4097),
  ])('%j cannot be held, and is not rewritten into one that can', (key) => {
    expect(() => pathOfKey(key)).toThrowError(Failure);
    expect(pathIfHoldable(key)).toBeUndefined();
  });

  it('is what its path says, but for a slash at its end', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        const path = pathIfHoldable(key);
        if (path !== undefined) expect([key, key.replace(/\/$/, '')]).toContain(keyOfPath(path));
      }),
    );
  });

  it('has the folders above it, outermost first', () => {
    expect(foldersAbove('/a')).toEqual([]);
    expect(foldersAbove('/a/b/c')).toEqual(['/a', '/a/b']);
  });
});
