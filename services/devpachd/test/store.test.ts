import { afterAll, describe, expect, it } from 'vitest';
import { BLOCK_BYTES, blake2b, createFileHasher, fileHash } from '../src/content/hash.ts';
import { levelToMerge } from '../src/files/compact.ts';
import { getEntry, mergedEntries, openCursor } from '../src/files/cursor.ts';
import { decodeEntry, type Entry, encodeEntry, entryOrder, stackEntries } from '../src/files/entry.ts';
import { holdLayers, prepareLayer } from '../src/files/layers.ts';
import { END } from '../src/files/rows.ts';
import { createFullValidator, createValidator } from '../src/files/validate.ts';
import { openDb } from '../src/store/db.ts';
import { PfsError } from '../src/store/errors.ts';
import { parseFileSetId } from '../src/store/file-sets.ts';
import { checkPath, cleanPath, dirPath, literalPrefix } from '../src/store/paths.ts';
import { tempFolder } from './harness.ts';

const file = (path: string, sizeBytes = 1, deletes = false): Entry => ({
  path,
  datum: 'default',
  deletes,
  contents: [{ sizeBytes, hash: blake2b(Buffer.from(path)), refs: [] }],
});
const deletion = (path: string): Entry => ({ path, datum: 'default', deletes: true, contents: [] });

describe('paths', () => {
  it.each([
    ['', '/'],
    ['a', '/a'],
    ['//a', '/a'],
    ['/a/', '/a'],
    ['/a//b', '/a/b'],
    ['/', '/'],
  ])('%s is cleaned to %s', (path, clean) => expect(cleanPath(path)).toBe(clean));

  it('know their directories', () => {
    expect([dirPath('/a'), dirPath('/')]).toEqual(['/a/', '/']);
    expect(literalPrefix('/a/b*c')).toBe('/a/b');
  });

  it.each(['', '/ü', '/a*', '/a/../b', '/.', `/${'n'.repeat(65_536)}`])('%s is refused', (path) => {
    expect(() => checkPath(path)).toThrow(PfsError);
  });
});

describe('hashes', () => {
  it('of a file up to a block are BLAKE2b-256 twice', () => {
    const content = Buffer.from('same');
    expect(fileHash([blake2b(content)])).toEqual(blake2b(blake2b(content)));
    expect(fileHash([])).toEqual(blake2b());
  });

  it('do not depend on how the content came', () => {
    const content = Buffer.alloc(2 * BLOCK_BYTES + 17, 'content');
    const whole = createFileHasher();
    whole.update(content);
    const pieces = createFileHasher();
    for (let at = 0; at < content.length; at += 333_333) pieces.update(content.subarray(at, at + 333_333));
    expect(pieces.digest()).toEqual(whole.digest());
  });
});

describe('entries', () => {
  it('survive encoding', () => {
    const entry: Entry = {
      path: '/a',
      datum: 'd',
      deletes: true,
      contents: [
        { sizeBytes: 2 ** 40, hash: undefined, refs: [{ pack: 7, offset: 2 ** 33, length: 12 }] },
        { sizeBytes: 0, hash: blake2b(), refs: [] },
      ],
    };
    expect(decodeEntry(entryOrder('/a', 'd'), encodeEntry(entry))).toEqual(entry);
  });

  it('append when stacked, and replace when the upper deletes first', () => {
    expect(stackEntries(file('/a', 2), file('/a', 3)).contents[0]?.sizeBytes).toBe(5);
    expect(stackEntries(file('/a', 2), file('/a', 3, true)).contents[0]?.sizeBytes).toBe(3);
    expect(stackEntries(file('/a', 2), deletion('/a')).contents).toEqual([]);
  });
});

describe('file set ids', () => {
  it.each([
    ['', 'parsing fileset.Token: too short to be Token len=0'],
    ['a'.repeat(33), 'parsing fileset.Token: too long to be Token len=33'],
    ['z'.repeat(32), "encoding/hex: invalid byte: U+007A 'z'"],
  ])('%s is refused', (id, text) => expect(() => parseFileSetId(id)).toThrow(text));

  it('are a token, with or without what follows the dot', () => {
    const token = '0123456789ab4def0123456789abcdef';
    expect(parseFileSetId(token)).toBe(token);
    expect(parseFileSetId(`${token}.ffff`)).toBe(token);
  });
});

describe('levels', () => {
  it('are merged so that few are left, and large ones are seldom rewritten', () => {
    expect(levelToMerge([100, 1])).toBe(2);
    expect(levelToMerge([100, 1, 1])).toBe(1);
    expect(levelToMerge([100, 20, 4, 1])).toBe(4);
    expect(levelToMerge([2, 1])).toBe(0);
    let layers: number[] = [];
    let written = 0;
    for (let commit = 0; commit < 1000; commit++) {
      layers.push(1);
      const from = levelToMerge(layers);
      if (layers.length - from < 2) continue;
      const merged = layers.slice(from).reduce((a, b) => a + b, 0);
      written += merged;
      layers = [...layers.slice(0, from), merged];
    }
    expect(layers.length).toBeLessThanOrEqual(12);
    expect(written).toBeLessThan(20_000);
  });
});

describe('layers', () => {
  const folder = tempFolder();
  const db = openDb(folder.path);
  afterAll(async () => {
    await db.close();
    folder.remove();
  });
  const layer = async (...entries: Entry[]): Promise<number> => {
    const prepared = await prepareLayer(db, 'test', entries);
    return db.write(() => {
      const id = prepared.commit();
      holdLayers(db, [id]);
      return id;
    });
  };
  const read = (layers: number[], lower = '', upper = END, reverse = false): string[] => {
    const cursor = openCursor(db, layers, { lower, upper }, reverse);
    const paths: string[] = [];
    for (let entry = cursor.next(); entry; entry = cursor.next()) paths.push(entry.path);
    return paths;
  };

  it('are read merged, in the order of bytes, both ways, without what is deleted', async () => {
    const bottom = await layer(file('/a'), file('/a/x'), file('/a-b'), file('/c'), file('/gone'));
    const top = await layer(file('/b'), deletion('/gone'), file('/c', 4));
    const all = ['/a', '/a-b', '/a/x', '/b', '/c'];
    expect(read([bottom, top])).toEqual(all);
    expect(read([bottom, top], '', END, true)).toEqual([...all].reverse());
    expect(read([bottom, top], '/a-b', '/c')).toEqual(['/a-b', '/a/x', '/b']);
    expect(read([bottom, top], '/a-b', '/c', true)).toEqual(['/b', '/a/x', '/a-b']);
    expect(getEntry(db, [bottom, top], entryOrder('/c', 'default'))?.contents[0]?.sizeBytes).toBe(5);
    expect(getEntry(db, [bottom, top], entryOrder('/gone', 'default'))).toBeUndefined();
    expect([...mergedEntries(db, [bottom, top], true)].map(({ path }) => path)).toContain('/gone');
  });

  it('of many entries are read whole, over all batches', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `/m/${String(i).padStart(5, '0')}`);
    const id = await layer(...names.map((name) => file(name)));
    expect(read([id])).toEqual(names);
    expect(read([id], '', END, true)).toEqual([...names].reverse());
  });

  it('are validated around what changed with the same verdict as by reading all', async () => {
    const base = await layer(...['/a', '/d/x', '/d/y', '/q-1', '/z'].map((path) => file(path)));
    const changes: readonly Entry[][] = [
      [file('/b')],
      [file('/a/b')],
      [file('/d')],
      [file('/q'), file('/q/r')],
      [file('/n'), file('/n/o'), file('/a/x')],
      [deletion('/a'), file('/a/b')],
      [file('/q'), file('/q/r'), deletion('/q-1')],
      [{ ...file('/a'), datum: 'other' }],
      [deletion('/d/x'), deletion('/missing'), file('/z', 9)],
    ];
    for (const entries of changes) {
      const diff = await layer(...entries);
      const near = createValidator(db, [base], [base, diff], 5);
      for (const entry of mergedEntries(db, [diff], true)) near.visit(entry);
      const full = createFullValidator();
      const cursor = openCursor(db, [base, diff], { lower: '', upper: END });
      for (let entry = cursor.next(); entry; entry = cursor.next()) full.visit(entry);
      expect(near.verdict()).toEqual(full.verdict());
    }
  });
});
