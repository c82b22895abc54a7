import { describe, expect, it } from 'vitest';
import { compileGlob, matchPath } from '../src/files/glob.ts';
import { PfsError } from '../src/store/errors.ts';

const MATCHES: readonly (readonly [glob: string, path: string])[] = [
  ['/a', '/a'],
  ['/a*', '/a'],
  ['/a*', '/abc'],
  ['/*/*', '/a/b'],
  ['/**', '/a/b/c'],
  ['/**/c', '/a/b/c'],
  ['/**.txt', '/d/e/z.txt'],
  ['/a?', '/a1'],
  ['/a[12]', '/a2'],
  ['/a[!12]', '/a3'],
  ['/a[^12]', '/a3'],
  ['/[a-c]x', '/bx'],
  ['/[[:digit:]]', '/5'],
  ['/[[:^digit:]]', '/x'],
  ['/[^[:alpha:]]', '/5'],
  ['/[.-]', '/-'],
  ['/{a1,b}', '/b'],
  ['/{a,b/c}', '/b/c'],
  ['/{,*.}x', '/x'],
  ['/{,*.}x', '/y.x'],
  ['/{a,{b,c}}d', '/cd'],
  ['/@(a1|b)', '/b'],
  ['/(a1|b)', '/a1'],
  ['/*(ab)c', '/ababc'],
  ['/*(ab)c', '/c'],
  ['/+(ab)', '/abab'],
  ['/?(ab)c', '/c'],
  ['/!(a1)', '/a2'],
  ['/!(a|b)', '/c'],
  ['/\\*', '/*'],
  ['/a\\b', '/ab'],
  ['/a.b', '/a.b'],
  ['/a$b|c', '/a$b|c'],
  ['/a,b', '/a,b'],
  ['/a!b', '/a!b'],
];

const MISSES: readonly (readonly [glob: string, path: string])[] = [
  ['/a', '/ab'],
  ['/a*', '/a/b'],
  ['/*', '/a/b'],
  ['/a?', '/a'],
  ['/a?', '/a/'],
  ['/a[12]', '/a3'],
  ['/a[!12]', '/a1'],
  ['/a[!1]b', '/a/b/c'],
  ['/{a1,b}', '/c'],
  ['/@(a1|b)', '/a1b'],
  ['/+(ab)', '/'],
  ['/!(a1)', '/a1'],
  ['/!(a1)', '/d/x'],
  ['/a.b', '/axb'],
  ['/[a-c]', '/B'],
];

describe('globs of PFS', () => {
  it.each(MATCHES)('%s matches %s', (glob, path) => {
    expect(compileGlob(glob)(path)).toBe(true);
  });

  it.each(MISSES)('%s does not match %s', (glob, path) => {
    expect(compileGlob(glob)(path)).toBe(false);
  });

  it.each(['/[', '/[a', '/[]', '/[z-a]'])('%s is refused', (glob) => {
    expect(() => compileGlob(glob)).toThrow(PfsError);
  });

  it('takes a directory by its path without the slash, and the root only for /', () => {
    expect(matchPath('/d')('/d/')).toBe(true);
    expect(matchPath('/')('/')).toBe(true);
    expect(matchPath('/*')('/')).toBe(false);
  });
});
