import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FileSummary } from '../../../../src/pachd/model.ts';
import { createBlocks, folderOf } from '../../../../src/pfs/read/blocks.ts';

const FILE_MAX_BYTES = 1_000;
const COMMIT = { project: 'default', repo: 'r', commitId: 'c' };
const HASH = new Uint8Array(32);

const file = (path: string, sizeBytes = 1): FileSummary => ({ path, kind: 'file', sizeBytes, hash: HASH });
const folder = (path: string): FileSummary => ({ path, kind: 'directory', sizeBytes: 1, hash: HASH });

it('a block is small files of one folder beside each other, with no folder or large file between them', () => {
  const blocks = createBlocks(FILE_MAX_BYTES);
  const listed = ['/a/1', '/a/2', '/a/3/', '/a/3/x', '/a/3/y', '/a/4', '/a/5', '/a/6', '/a/7'];
  blocks.learn(
    COMMIT,
    listed.map((path) => (path.endsWith('/') ? folder(path) : file(path, path === '/a/6' ? FILE_MAX_BYTES + 1 : 1))),
  );
  const blockOf = (path: string) => {
    const block = blocks.at(COMMIT, path);
    return block && [block.first, block.last];
  };
  expect(blockOf('/a/1')).toEqual(['/a/1', '/a/2']);
  expect(blockOf('/a/3/y')).toEqual(['/a/3/x', '/a/3/y']);
  expect(blockOf('/a/4')).toEqual(['/a/4', '/a/5']);
  for (const path of ['/a/6', '/a/7', '/a/0', '/b/1']) expect(blockOf(path)).toBeUndefined();
});

it('blocks of lists that overlap do not, and each file is in one of its own folder', () => {
  const names = Array.from({ length: 250 }, (_, at) => file(`/d/${String(at).padStart(4, '0')}`));
  const lists = fc.array(fc.tuple(fc.nat(249), fc.nat(249)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lists, (all) => {
      const blocks = createBlocks(FILE_MAX_BYTES);
      for (const [from, to] of all) blocks.learn(COMMIT, names.slice(Math.min(from, to), Math.max(from, to) + 1));
      let before: string | undefined;
      for (const { path } of names) {
        const block = blocks.at(COMMIT, path);
        if (block === undefined) continue;
        expect(block.first <= path && path <= block.last).toBe(true);
        expect(folderOf(path)).toBe(block.folder);
        if (block.first === path && before !== undefined) expect(before < path).toBe(true);
        if (block.last === path) before = path;
        const next = blocks.after(COMMIT, block);
        if (next !== undefined) {
          expect(next.first > block.last).toBe(true);
          expect(blocks.before(COMMIT, next)).toBe(block);
        }
      }
    }),
    { numRuns: 40 },
  );
});
