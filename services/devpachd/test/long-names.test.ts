import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DiffFileResponse,
  type FileInfo,
  GlobFileRequest,
  ListFileRequest,
  WalkFileRequest,
} from '../../../proto/gen/pfs/pfs.ts';
import {
  add,
  branch,
  type Client,
  call,
  collect,
  connect,
  copy,
  type Devpachd,
  fileSet,
  head,
  remove,
  repo,
  spawnDevpachd,
  tempFolder,
} from './harness.ts';

const UNKNOWN = 2;
const NOT_FOUND = 5;
const SIZES = [1_690, 1_701, 1_702, 1_703, 2_000, 3_410, 4_096, 65_000];

const oneSegment = (bytes: number, last = 'z') => `/${'k'.repeat(bytes - 2)}${last}`;
const manySegments = (bytes: number, last = 'z') => `${'/segment'.repeat(bytes / 8)}${'x'.repeat(bytes % 8)}${last}`;
const paths = SIZES.flatMap((bytes) => [oneSegment(bytes), oneSegment(bytes, 'a'), manySegments(bytes)]);
const inOrder = (all: readonly string[]) => [...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done' as const,
    (error: { code: number; details: string }) => error,
  );

describe('paths of any length up to 64 KiB', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  const start = async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
  };
  const walk = async (of = head('r')) => {
    const request = WalkFileRequest.fromPartial({ file: { commit: of, path: '/' } });
    const found = await collect<FileInfo>(client.api.walkFile(request));
    return found.map(({ file }) => file?.path ?? '').filter((path) => !path.endsWith('/'));
  };
  const page = async (marker: string, number: number, reverse: boolean) => {
    const file = { commit: head('r'), path: '/' };
    const request = ListFileRequest.fromPartial({ file, paginationMarker: { ...file, path: marker }, number, reverse });
    return (await collect<FileInfo>(client.api.listFile(request))).map((info) => info.file?.path ?? '');
  };

  beforeAll(async () => {
    await start();
    await client.createRepo('r');
    // Neighbours, shorter and longer, that only differ before or after the place where a long path is cut.
    const changes = [...paths, '/k', '/l'].map((path) => add(path, `content of ${path.length}`));
    await client.modify(head('r'), changes);
    expect((await client.finished(head('r'))).error).toBe('');
  });
  afterAll(async () => {
    client.close();
    await server.end();
    folder.remove();
  });

  it('are kept, read and listed in order, also after a kill', async () => {
    const expected = inOrder([...paths, '/k', '/l']);
    expect(await walk()).toEqual(expected);
    client.close();
    await server.end('SIGKILL');
    await start();
    expect(await walk()).toEqual(expected);
    for (const path of paths) {
      expect((await client.get(head('r'), path)).toString()).toBe(`content of ${path.length}`);
      expect((await client.inspectFile(head('r'), path)).file?.path).toBe(path);
      const glob = GlobFileRequest.fromPartial({ commit: head('r'), pattern: `${path.slice(0, -1)}?` });
      const found = await collect<FileInfo>(client.api.globFile(glob));
      const siblings = expected.filter((one) => one.slice(0, -1) === path.slice(0, -1));
      expect(found.map(({ file }) => file?.path)).toEqual(siblings);
    }
  });

  it('are markers of pages', async () => {
    const top = inOrder([...paths.filter((path) => !path.slice(1).includes('/')), '/k', '/l', '/segment/']);
    for (let at = 0; at < top.length; at++) {
      expect(await page(top[at] ?? '', 3, false)).toEqual(top.slice(at + 1, at + 4));
      expect(await page(top[at] ?? '', 2, true)).toEqual(top.slice(Math.max(0, at - 2), at).reverse());
    }
  });

  it('that are not there are not found, however long', async () => {
    for (const bytes of [...SIZES, 70_000, 1_000_000]) {
      for (const path of [oneSegment(bytes, 'y'), manySegments(bytes, 'y')]) {
        const missing = { code: NOT_FOUND, details: '' };
        expect(await outcome(client.get(head('r'), path))).toMatchObject(missing);
        expect(await outcome(client.inspectFile(head('r'), path))).toMatchObject(missing);
        expect(await client.list(head('r'), path)).toEqual([]);
        const request = GlobFileRequest.fromPartial({ commit: head('r'), pattern: path });
        expect(await collect(client.api.globFile(request))).toEqual([]);
      }
    }
  });

  it('are copied, replaced, deleted and compared', async () => {
    const set = await client.createFileSet(paths.map((path) => add(path, 'new')));
    const [first = '', second = '', ...others] = paths;
    await client.modify(head('r', 'changed'), [copy('/', head('r'), '/')]);
    await client.modify(head('r', 'changed'), [
      copy(first, fileSet(set), first),
      remove(second),
      remove('/segment/'),
      ...others.filter((path) => path.startsWith('/k')).map((path) => copy(path, fileSet(set), path, true)),
    ]);
    expect((await client.finished(head('r', 'changed'))).error).toBe('');
    const kept = inOrder([first, ...others.filter((path) => path.startsWith('/k')), '/k', '/l']);
    expect(await walk(head('r', 'changed'))).toEqual(kept);
    expect((await client.get(head('r', 'changed'), first)).toString()).toBe('new');
    const appended = others.find((path) => path.startsWith('/k')) ?? '';
    expect((await client.get(head('r', 'changed'), appended)).toString()).toBe(`content of ${appended.length}new`);
    const diff = await collect<DiffFileResponse>(
      client.api.diffFile({
        newFile: { commit: head('r', 'changed'), path: '/', datum: '' },
        oldFile: { commit: head('r'), path: '/', datum: '' },
        shallow: false,
      }),
    );
    const changed = diff.map(({ newFile, oldFile }) => (newFile ?? oldFile)?.file?.path ?? '');
    expect(changed.filter((path) => !path.endsWith('/'))).toEqual(inOrder(paths));
  });

  it('collide as short ones do', async () => {
    const long = oneSegment(4_096);
    await client.modify(head('r', 'collision'), [add(long, ''), add(`${long}/below`, '')]);
    expect((await client.finished(head('r', 'collision'))).error).toBe(
      `file / directory path collision (${long}/below)`,
    );
  });

  it('go deep', async () => {
    const deep = '/d'.repeat(32_000);
    await client.modify(head('r', 'deep'), [add(deep, 'deep')]);
    const { sizeBytes } = await client.inspectFile(head('r', 'deep'), '/');
    expect(sizeBytes).toBe(4);
    expect((await client.get(head('r', 'deep'), deep)).toString()).toBe('deep');
  });

  it('are bounded, with their datum', async () => {
    const refusal = { code: UNKNOWN, details: expect.stringMatching(/ invalid: longer than 65536 bytes$/) };
    expect(await outcome(client.modify(head('r', 'x'), [add(oneSegment(65_537), '')]))).toMatchObject(refusal);
    expect(await outcome(client.modify(head('r', 'x'), [add(oneSegment(65_000), '', 'd'.repeat(600))]))).toMatchObject(
      refusal,
    );
    await client.modify(head('r', 'datum'), [add('/f', 'x', 'd'.repeat(10_000))]);
    expect((await client.list(head('r', 'datum')))[0]?.file?.datum).toHaveLength(10_000);
  });
});

describe('names of any length', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  const long = (bytes: number) => 'n'.repeat(bytes);
  beforeAll(async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
    await client.createRepo('r');
    await client.modify(head('r'), [add('/a', 'a')]);
  });
  afterAll(async () => {
    client.close();
    await server.end();
    folder.remove();
  });

  it.each([500, 601, 2_600])('a repo and a branch may have names of %s bytes', async (bytes) => {
    await client.createRepo(long(bytes));
    await client.modify(head(long(bytes), `b${long(bytes)}`), [add('/a', 'long')]);
    expect((await client.get(head(long(bytes), `b${long(bytes)}`), '/a')).toString()).toBe('long');
    expect(await outcome(client.createRepo(long(bytes)))).toMatchObject({ code: 6 });
    await call((done) => client.api.deleteRepo({ repo: repo(long(bytes)), force: false }, done));
    expect(await outcome(client.list(head(long(bytes))))).toMatchObject({ code: NOT_FOUND });
  });

  it("longer ones are refused with the words of pachd's database", async () => {
    const tooLong = (bytes: number, index: string) =>
      `ERROR: index row size ${bytes} exceeds btree version 4 maximum 2704 for index "${index}" (SQLSTATE 54000)`;
    expect(await outcome(client.createRepo(long(2_800)))).toMatchObject({
      code: UNKNOWN,
      details: `could not create repo "default/${long(2_800)}": upsert repo: ${tooLong(2832, 'repos_name_project_id_type_key')}`,
    });
    expect(await outcome(client.modify(head('r', long(2_800)), []))).toMatchObject({
      code: UNKNOWN,
      details: `create commit: create commit: update head: could not create branch: ${tooLong(2824, 'branches_repo_id_name_key')}`,
    });
  });

  it.each([2_000, 100_000])('what is asked for by a name of %s bytes is not found', async (bytes) => {
    const name = long(bytes);
    const missing = { code: NOT_FOUND, details: expect.stringContaining(' not found') };
    expect(await outcome(client.inspect(head('r', name)))).toMatchObject(missing);
    expect(await outcome(client.inspect(head(name)))).toMatchObject(missing);
    expect(await outcome(call((done) => client.api.inspectProject({ project: { name } }, done)))).toMatchObject(
      missing,
    );
    expect(await outcome(call((done) => client.api.inspectRepo({ repo: repo(name) }, done)))).toMatchObject(missing);
    const inspectBranch = call((done) => client.api.inspectBranch({ branch: branch('r', name) }, done));
    expect(await outcome(inspectBranch)).toMatchObject(missing);
    expect(await outcome(call((done) => client.api.dropCommitSet({ commitSet: { id: name } }, done)))).toBe('done');
  });
});
