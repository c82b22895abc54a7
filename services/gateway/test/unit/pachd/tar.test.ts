import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TAR_END, tarHeader, tarPadding } from '../../../../devpachd/src/rpc/tar.ts';
import { MalformedTar, readTar, type TarEntry } from '../../../src/pachd/tar.ts';

const MAX_BYTES = 10_000;

async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function entriesOf(bytes: Uint8Array, chunkBytes = 512): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const entry of readTar(inChunks(bytes, chunkBytes), MAX_BYTES)) entries.push(entry);
  return entries;
}

const tarOf = (files: readonly (readonly [path: string, content: Buffer])[]): Buffer =>
  Buffer.concat([
    ...files.flatMap(([path, content]) => [tarHeader(path, content.length), content, tarPadding(content.length)]),
    TAR_END,
  ]);

it('gives what was written, however it is cut into chunks', async () => {
  const part = fc.stringMatching(/^[ -.0-~]{1,120}$/);
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const content = fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes));
  const files = fc.array(fc.tuple(path, content), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(files, fc.integer({ min: 1, max: 1_500 }), async (written, chunkBytes) => {
      const entries = await entriesOf(tarOf(written), chunkBytes);
      expect(entries).toEqual(
        written.map(([path, content]) => ({ path, kind: 'file', sizeBytes: content.length, content })),
      );
    }),
  );
});

it.each(['ustar', 'pax'])('reads what GNU tar writes as %s', async (format) => {
  const folder = await mkdtemp(join(tmpdir(), 'tusk-tar-'));
  try {
    const names = ['a', 'folder/b', `${'long/'.repeat(30)}${'name'.repeat(20)}`];
    for (const name of names) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), name);
    }
    const args = ['-c', `--format=${format}`, '-C', folder, ...names];
    const { stdout } = await promisify(execFile)('tar', args, { encoding: 'buffer' });
    const entries = await entriesOf(stdout);
    expect(entries.map(({ path, content }) => [path, content?.toString()])).toEqual(names.map((name) => [name, name]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('ends with a file that is too large, and does not read it', async () => {
  const large = Buffer.concat([tarHeader('/large', 8 ** 11), Buffer.alloc(512)]);
  const entries = await entriesOf(Buffer.concat([tarOf([['/a', Buffer.from('a')]]).subarray(0, 1_024), large]));
  expect(entries).toEqual([
    { path: '/a', kind: 'file', sizeBytes: 1, content: Buffer.from('a') },
    { path: '/large', kind: 'file', sizeBytes: 8 ** 11, content: undefined },
  ]);
});

it('tells directories from files', async () => {
  const entries = await entriesOf(Buffer.concat([tarHeader('/d/', 0), tarOf([['/d/f', Buffer.from('f')]])]));
  expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
    ['/d/', 'directory'],
    ['/d/f', 'file'],
  ]);
});

it.each([
  ['ends in a header', tarHeader('/a', 3).subarray(0, 300)],
  ['ends in a content', Buffer.concat([tarHeader('/a', 300), Buffer.alloc(100)])],
  ['has a size that is none', Buffer.from(tarHeader('/a', 3)).fill('9z', 124, 126)],
  ['has a link in it', Buffer.from(tarHeader('/a', 3)).fill('2', 156, 157)],
])('is refused when it %s', async (_, bytes) => {
  await expect(entriesOf(bytes)).rejects.toThrow(MalformedTar);
});
