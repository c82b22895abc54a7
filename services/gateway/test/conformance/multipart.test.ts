// Multipart uploads as the clients make them by themselves: in parallel, broken off, gone on with, and cleaned up.
import { spawn } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { awsEnvironment, makeFolder, pythonProgram, runCommand, sampleBytes } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';

const PART_BYTES = 5 << 20;
let tusk: Tusk;
let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  tusk = await startTusk();
  folder = await makeFolder();
});
afterAll(async () => {
  await tusk?.stop();
  await folder?.remove();
});

async function uploadIdsOf(bucket: string): Promise<readonly string[]> {
  const { text } = await send(tusk.url, 'GET', `/${bucket}`, { query: [['uploads', '']] });
  return [...text.matchAll(/<UploadId>([^<]*)</g)].map(([, id = '']) => id);
}

async function partsOf(bucket: string, key: string, uploadId: string): Promise<number> {
  const { text } = await send(tusk.url, 'GET', `/${bucket}/${key}`, { query: [['uploadId', uploadId]] });
  return text.split('<Part>').length - 1;
}

describe('aws s3', () => {
  const args = (...more: readonly string[]) => ['--endpoint-url', tusk.url, '--no-sign-request', 's3', ...more];

  it('copies 100 MB with its default settings, in one commit', async () => {
    const bucket = await freshBucket(tusk);
    const content = sampleBytes(100_000_000);
    await writeFile(join(folder.path, 'large'), content);
    const before = await tusk.pachd.commitCount(repoOf(bucket));
    const run = await runCommand(pythonProgram('aws'), args('cp', 'large', `s3://${bucket}/large`, '--no-progress'), {
      env: awsEnvironment(folder.path),
      cwd: folder.path,
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(before + 1);
    expect((await send(tusk.url, 'GET', `/${bucket}/large`)).body.equals(content)).toBe(true);
    expect(await uploadIdsOf(bucket)).toEqual([]);
  });

  it('that is interrupted aborts its upload', async () => {
    const bucket = await freshBucket(tusk);
    // Far from its end when its first part is there.
    const file = join(folder.path, 'broken.bin');
    await writeFile(file, '');
    await truncate(file, 500_000_000);
    const child = spawn(pythonProgram('aws'), args('cp', file, `s3://${bucket}/broken`), {
      env: { ...process.env, ...awsEnvironment(folder.path) },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const [id] = await eventually(
      'it has begun',
      () => uploadIdsOf(bucket),
      (ids) => ids.length > 0,
    );
    await eventually(
      'it has parts',
      () => partsOf(bucket, 'broken', id ?? ''),
      (parts) => parts > 0,
    );
    child.kill('SIGINT');
    await ended;
    expect(await uploadIdsOf(bucket)).toEqual([]);
    expect(await send(tusk.url, 'HEAD', `/${bucket}/broken`)).toMatchObject({ status: 404 });
  });
});

describe('minio-js', () => {
  const connect = (): Client => {
    const { hostname, port } = new URL(tusk.url);
    return new Client({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      region: 'us-east-1',
      partSize: PART_BYTES,
    });
  };

  /** An upload that somebody has left with these parts. */
  async function leave(bucket: string, key: string, parts: readonly Uint8Array[]): Promise<void> {
    const { text } = await send(tusk.url, 'POST', `/${bucket}/${key}`, { query: [['uploads', '']] });
    const id = /<UploadId>([^<]*)</.exec(text)?.[1] ?? '';
    for (const [at, body] of parts.entries()) {
      const query = [['partNumber', String(at + 1)] as const, ['uploadId', id] as const];
      expect(await send(tusk.url, 'PUT', `/${bucket}/${key}`, { query, body })).toMatchObject({ status: 200 });
    }
  }

  const incomplete = async (client: Client, bucket: string): Promise<readonly string[]> => {
    const found = await client.listIncompleteUploads(bucket, '', true).toArray();
    return found.map(({ key }: { readonly key: string }) => key);
  };

  it('lists what was broken off, and removes it', async () => {
    const client = connect();
    const bucket = await freshBucket(tusk);
    for (const key of ['a/one', 'a/one', 'a/two']) await leave(bucket, key, [Buffer.from('part')]);
    expect([...(await incomplete(client, bucket))].sort()).toEqual(['a/one', 'a/one', 'a/two']);
    for (let left = 2; left > 0; left--) await client.removeIncompleteUpload(bucket, 'a/one');
    expect(await incomplete(client, bucket)).toEqual(['a/two']);
  });

  it('goes on with what was broken off: sends what is missing, and again what is another', async () => {
    const client = connect();
    const bucket = await freshBucket(tusk);
    const content = sampleBytes(3 * PART_BYTES + 5);
    await leave(bucket, 'large', [content.subarray(0, PART_BYTES), Buffer.from('another')]);
    const [id] = await uploadIdsOf(bucket);
    await client.putObject(bucket, 'large', Readable.from([content]));
    expect((await send(tusk.url, 'GET', `/${bucket}/large`)).body.equals(content)).toBe(true);
    expect(await uploadIdsOf(bucket)).toEqual([]);
    // It was that upload, not one of its own.
    const query = [['uploadId', id ?? '']] as const;
    expect(await send(tusk.url, 'GET', `/${bucket}/large`, { query })).toMatchObject({ code: 'NoSuchUpload' });
  });
});
