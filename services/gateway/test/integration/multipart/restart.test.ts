// What was acknowledged of an upload outlives the gateway, however it dies, and what was answered of its completion does too.
import { stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, describe, expect, it } from 'vitest';
import { openUploads } from '../../../src/cache/uploads-lmdb.ts';
import { freshBucket, repoOf } from '../../support/buckets.ts';
import { makeFolder, sampleBytes } from '../../support/clients.ts';
import { startDevpachd } from '../../support/devpachd.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { startNode } from '../../support/program.ts';
import { startTusk, type Tusk, tuskEnvironment } from '../../support/tusk.ts';
import { element, elements, PART_BYTES, uploadsOf } from '../../support/uploads.ts';
import { startControlled } from './controlled.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folderOfOwn(): Promise<string> {
  const folder = await makeFolder();
  cleanups.push(folder.remove);
  return folder.path;
}

async function start(dataDir: string, pachd?: string): Promise<Tusk> {
  const tusk = await startTusk({ dataDir, ...(pachd === undefined ? {} : { pachd }) });
  cleanups.push(() => tusk.stop());
  return tusk;
}

async function kill(tusk: Tusk): Promise<void> {
  await tusk.program.stop('SIGKILL');
  await eventually(
    'nothing of it runs',
    () => tusk.program.alive(),
    (members) => members.length === 0,
  );
  tusk.pachd.close();
}

const [first, second, last] = [sampleBytes(PART_BYTES, 'first'), sampleBytes(PART_BYTES, 'second'), sampleBytes(9)];

describe.each([
  ['its own pachd', async () => undefined],
  [
    'a pachd beside it',
    async () => {
      const devpachd = await startDevpachd({ dataDir: await folderOfOwn() });
      cleanups.push(() => devpachd.stop());
      return devpachd.address;
    },
  ],
])('a gateway with %s', (_, pachdOf) => {
  it('goes on with an upload after a kill -9 between its parts, and answers the same after another', async () => {
    const dataDir = await folderOfOwn();
    const pachd = await pachdOf();
    const before = await start(dataDir, pachd);
    const bucket = await freshBucket(before);
    const uploads = uploadsOf(before.url, bucket);
    const id = await uploads.create('a/big');
    const parts = [await uploads.part('a/big', id, 1, first)];
    await uploads.part('a/big', id, 3, 'replaced');
    parts.push(await uploads.part('a/big', id, 3, last));
    const listed = (await uploads.listParts('a/big', id)).text;
    await kill(before);

    const after = await start(dataDir, pachd);
    const again = uploadsOf(after.url, bucket);
    expect(elements((await again.listUploads()).text, 'UploadId')).toEqual([id]);
    expect((await again.listParts('a/big', id)).text).toBe(listed);
    parts.splice(1, 0, await again.part('a/big', id, 2, second));
    const done = await again.complete('a/big', id, parts);
    expect(done).toMatchObject({ status: 200 });
    const commits = await after.pachd.commitCount(repoOf(bucket));
    await kill(after);

    const third = await start(dataDir, pachd);
    const asked = uploadsOf(third.url, bucket);
    const repeated = await asked.complete('a/big', id, parts);
    expect(repeated.status).toBe(200);
    for (const name of ['ETag', 'Bucket', 'Key']) expect(element(repeated.text, name)).toBe(element(done.text, name));
    expect(repeated.headers['x-amz-version-id']).toBe(done.headers['x-amz-version-id']);
    expect(await third.pachd.commitCount(repoOf(bucket))).toBe(commits);
    const got = await asked.ask('GET', 'a/big');
    expect(got.body.equals(Buffer.concat([first, second, last]))).toBe(true);
    expect(got.headers['etag']).toBe(element(done.text, 'ETag'));
    expect(elements((await asked.listUploads()).text, 'UploadId')).toEqual([]);
    expect(await asked.complete('a/big', id, parts.slice(0, 2))).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  });
});

it('goes on with an upload after one of its workers was killed', async () => {
  const tusk = await start(await folderOfOwn());
  const bucket = await freshBucket(tusk);
  const uploads = uploadsOf(tusk.url, bucket);
  const id = await uploads.create('big');
  const parts = [await uploads.part('big', id, 1, first)];
  for (const { pid, command } of tusk.program.alive()) {
    if (command.includes('worker-process')) process.kill(pid, 'SIGKILL');
  }
  const listed = await eventually(
    'another worker has taken its place',
    () => uploads.listParts('big', id).catch(() => undefined),
    (answer) => answer?.status === 200,
  );
  expect(elements(listed?.text ?? '', 'ETag')).toEqual([parts[0]?.etag]);
  parts.push(await uploads.part('big', id, 2, last));
  expect(await uploads.complete('big', id, parts)).toMatchObject({ status: 200 });
});

it.each([
  ['before its commit', 'ComposeFileSet delay 5000 once'],
  ['after its commit', 'ModifyFile after delay 5000 once'],
])('completes an upload that was being completed when it was killed, %s', async (_, fault) => {
  const pachd = await startControlled();
  cleanups.push(() => pachd.stop());
  const dataDir = await folderOfOwn();
  const before = await start(dataDir, pachd.address);
  const bucket = await freshBucket(before);
  await send(before.url, 'PUT', `/${bucket}/other`, { body: 'other' });
  const uploads = uploadsOf(before.url, bucket);
  const id = await uploads.create('big');
  const parts = [await uploads.part('big', id, 1, first), await uploads.part('big', id, 2, last)];
  const commits = await before.pachd.commitCount(repoOf(bucket));
  const faults = await pachd.faults();
  await pachd.withFaults([fault], async () => {
    const broken = expect(uploads.complete('big', id, parts)).rejects.toThrow();
    await eventually(
      'it is being completed',
      () => pachd.faults(),
      (count) => count > faults,
    );
    await kill(before);
    await broken;
  });

  const after = await start(dataDir, pachd.address);
  const again = uploadsOf(after.url, bucket);
  const done = await again.complete('big', id, parts);
  expect(done).toMatchObject({ status: 200 });
  expect((await again.ask('GET', 'big')).body.equals(Buffer.concat([first, last]))).toBe(true);
  expect(elements((await again.listUploads()).text, 'UploadId')).toEqual([]);
  // What was committed and never answered may be there once more.
  expect(await after.pachd.commitCount(repoOf(bucket))).toBeLessThanOrEqual(commits + 2);
});

it('has nothing of an upload that expired while no gateway ran', async () => {
  const dataDir = await folderOfOwn();
  const before = await start(dataDir);
  const bucket = await freshBucket(before);
  const id = await uploadsOf(before.url, bucket).create('key');
  await before.stop();
  const registry = openUploads(join(dataDir, 'uploads'), true);
  const [upload] = await registry.list(bucket);
  expect(upload).toMatchObject({ id, key: 'key' });
  await registry.remove(bucket, id);
  await registry.create({ ...upload!, expiresMs: Date.now() - 1 });
  await registry.close();

  const uploads = uploadsOf((await start(dataDir)).url, bucket);
  expect(elements((await uploads.listUploads()).text, 'UploadId')).toEqual([]);
  expect(await uploads.listParts('key', id)).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  expect(await uploads.putPart('key', id, 1, 'x')).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  expect(await uploads.abort('key', id)).toMatchObject({ status: 404, code: 'NoSuchUpload' });
});

describe('what is kept of uploads', () => {
  async function failToStart(dataDir: string): Promise<string> {
    const program = startNode('services/gateway/src/main.ts', { env: tuskEnvironment(dataDir) });
    expect(await program.exited, program.output()).toEqual({ code: 1, signal: null });
    const lines = program.errors().trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    return lines[0] ?? '';
  }

  async function used(): Promise<{ dataDir: string; data: string }> {
    const dataDir = await folderOfOwn();
    const folder = join(dataDir, 'uploads');
    const registry = openUploads(folder, true);
    for (let id = 0; id < 1_000; id++) {
      void registry.create({ id: `u${id}`, bucket: 'b', key: 'k', initiatedMs: 0, expiresMs: Date.now() + 1e9 });
    }
    await registry.close();
    return { dataDir, data: join(folder, 'data.mdb') };
  }

  it.each<[string, (data: string) => Promise<void>]>([
    ['nonsense', (data) => writeFile(data, Buffer.alloc(100_000, 'x'))],
    ['cut off', (data) => truncate(data, 20_000)],
  ])('is one line at the start when it is %s', async (_, damage) => {
    const { dataDir, data } = await used();
    await damage(data);
    expect(await failToStart(dataDir)).toContain(join(dataDir, 'uploads'));
  });

  it('is one line at the start when a later version has written it', async () => {
    const { dataDir } = await used();
    const root = open({ path: join(dataDir, 'uploads'), noSubdir: false, maxDbs: 8 });
    await root.openDB({ name: 'meta' }).put('format', 2);
    await root.close();
    expect(await failToStart(dataDir)).toMatch(/uploads.*format is 2/);
  });

  it('is one line at the start when its folder cannot be made', async () => {
    const dataDir = await folderOfOwn();
    await writeFile(join(dataDir, 'uploads'), 'a file');
    expect(await failToStart(dataDir)).toContain(join(dataDir, 'uploads'));
  });

  it('may be read by its owner alone', async () => {
    const { dataDir } = await used();
    expect((await stat(join(dataDir, 'uploads'))).mode & 0o077).toBe(0);
  });

  it('is done without where nobody asked for a data folder and none can be had', async () => {
    const devpachd = await startDevpachd({ dataDir: await folderOfOwn() });
    cleanups.push(() => devpachd.stop());
    const cwd = await folderOfOwn();
    await writeFile(join(cwd, '.tusk'), 'a file');
    const env = { ...tuskEnvironment(''), TUSK_PACHD: `grpc://${devpachd.address}` };
    const program = startNode('services/gateway/src/main.ts', { cwd, env });
    cleanups.push(() => program.stop());
    const url = await program.message((message) => (message as { readonly url?: string }).url);
    expect(program.output()).toContain('do not outlive a restart');
    const bucket = 'master.memory.default';
    expect(await send(url, 'PUT', `/${bucket}`)).toMatchObject({ status: 200 });
    const uploads = uploadsOf(url, bucket);
    const id = await uploads.create('key');
    const done = await uploads.complete('key', id, [await uploads.part('key', id, 1, 'all of it')]);
    expect(done).toMatchObject({ status: 200 });
    expect(await uploads.ask('GET', 'key')).toMatchObject({ status: 200, text: 'all of it' });
  });
});
