import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { sampleBytes } from '../support/clients.ts';
import { type Devpachd, startDevpachd } from '../support/devpachd.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';
import { PART_BYTES, uploadsOf } from '../support/uploads.ts';

/** Long enough that every commit of a test is still unfinished when it is read. */
const FINISH_MS = 2_000;

let dataDir: string;
let devpachd: Devpachd;
let tusk: Tusk;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tusk-pending-'));
  devpachd = await startDevpachd({ dataDir, finishMs: FINISH_MS });
  tusk = await startTusk({ pachd: devpachd.address });
});
afterAll(async () => {
  await tusk?.stop();
  await devpachd?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const put = (bucket: string, key: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  send(tusk.url, 'PUT', `/${bucket}/${key}`, { body, headers });
const get = (bucket: string, key: string) => send(tusk.url, 'GET', `/${bucket}/${key}`);
const list = async (bucket: string, delimiter = '') => {
  const { text } = await send(tusk.url, 'GET', `/${bucket}`, {
    query: [
      ['list-type', '2'],
      ['delimiter', delimiter],
    ],
  });
  return [...text.matchAll(/<(?:Key|CommonPrefixes><Prefix)>(.*?)</g)].map((match) => match[1]);
};
const isPending = async (bucket: string) => (await tusk.pachd.headOf(repoOf(bucket))).finished === undefined;

describe('while its commit is not finished', () => {
  it('a write is acknowledged, and read, headed and listed', async () => {
    const bucket = await freshBucket(tusk);
    const answer = await put(bucket, 'a/b.txt', 'one');
    expect(answer.status).toBe(200);
    expect(await isPending(bucket)).toBe(true);
    expect(await get(bucket, 'a/b.txt')).toMatchObject({ status: 200, text: 'one' });
    expect((await get(bucket, 'a/b.txt')).headers['etag']).toBe(answer.headers['etag']);
    expect((await send(tusk.url, 'HEAD', `/${bucket}/a/b.txt`)).headers['content-length']).toBe('3');
    expect(await list(bucket)).toEqual(['a/b.txt']);
    expect(await list(bucket, '/')).toEqual(['a/']);
    expect(await isPending(bucket)).toBe(true);
  });

  it('the last of several writes counts, a deletion too', async () => {
    const bucket = await freshBucket(tusk);
    await put(bucket, 'k', 'one');
    await put(bucket, 'k', 'two');
    await put(bucket, 'folder/x', 'x');
    expect((await get(bucket, 'k')).text).toBe('two');
    expect((await send(tusk.url, 'DELETE', `/${bucket}/folder/x`)).status).toBe(204);
    expect((await get(bucket, 'folder/x')).status).toBe(404);
    expect(await list(bucket, '/')).toEqual(['k']);
    expect(await isPending(bucket)).toBe(true);
  });

  it('conditions are judged by it', async () => {
    const bucket = await freshBucket(tusk);
    const { headers } = await put(bucket, 'k', 'one', { 'if-none-match': '*' });
    expect((await put(bucket, 'k', 'two', { 'if-none-match': '*' })).code).toBe('PreconditionFailed');
    expect((await put(bucket, 'k', 'two', { 'if-match': '"00000000000000000000000000000000-1"' })).code).toBe(
      'PreconditionFailed',
    );
    expect((await put(bucket, 'k', 'three', { 'if-match': headers['etag']! })).status).toBe(200);
    expect((await get(bucket, 'k')).text).toBe('three');
  });

  it('collisions are found in it, and a folder that it emptied is free', async () => {
    const bucket = await freshBucket(tusk);
    await put(bucket, 'file', 'x');
    await put(bucket, 'folder/file', 'x');
    expect((await put(bucket, 'file/below', 'x')).code).toBe('ObjectNameConflict');
    expect((await put(bucket, 'folder', 'x')).code).toBe('ObjectNameConflict');
    await send(tusk.url, 'DELETE', `/${bucket}/folder/file`);
    expect((await put(bucket, 'folder', 'x')).status).toBe(200);
    expect(await list(bucket)).toEqual(['file', 'folder']);
  });

  it.each([
    ['small', 'content'],
    ['empty', ''],
    ['large', sampleBytes(3_000_000)],
  ])('a %s object is a source of copies', async (_, body) => {
    const bucket = await freshBucket(tusk);
    const other = await freshBucket(tusk);
    expect((await put(bucket, 'from', body)).status).toBe(200);
    for (const target of [other, bucket]) {
      expect((await put(target, 'to', '', { 'x-amz-copy-source': `/${bucket}/from` })).status).toBe(200);
      expect((await get(target, 'to')).body.equals(Buffer.from(body))).toBe(true);
      if (target === other) expect(await isPending(bucket)).toBe(true);
    }
  });

  it('a part of it can be a part of an upload', async () => {
    const bucket = await freshBucket(tusk);
    expect((await put(bucket, 'from', 'the content')).status).toBe(200);
    const uploads = uploadsOf(tusk.url, bucket);
    const id = await uploads.create('to');
    const copied = await uploads.ask('PUT', 'to', {
      query: [
        ['partNumber', '1'],
        ['uploadId', id],
      ],
      headers: { 'x-amz-copy-source': `/${bucket}/from`, 'x-amz-copy-source-range': 'bytes=4-8' },
    });
    expect(copied.status).toBe(200);
    expect(await isPending(bucket)).toBe(true);
    const etag = copied.text.match(/&quot;(.*)&quot;/)?.[1] ?? '';
    expect((await uploads.complete('to', id, [{ number: 1, etag }])).status).toBe(200);
    expect((await get(bucket, 'to')).text).toBe('conte');
  });

  it('a large object is read from where it was staged', async () => {
    const bucket = await freshBucket(tusk);
    const content = Buffer.alloc(3_000_000, 'large ');
    expect((await put(bucket, 'large', content)).status).toBe(200);
    expect((await get(bucket, 'large')).body.equals(content)).toBe(true);
  });
});

describe('a large object', () => {
  const written: Readonly<Record<string, (bucket: string) => Promise<string | undefined>>> = {
    'that is put': async (bucket) => {
      const { status, headers } = await put(bucket, 'large', sampleBytes(3_000_000));
      expect(status).toBe(200);
      return headers['etag'];
    },
    'of parts': async (bucket) => {
      const uploads = uploadsOf(tusk.url, bucket);
      const id = await uploads.create('large');
      const named = [await uploads.part('large', id, 1, sampleBytes(PART_BYTES))];
      named.push(await uploads.part('large', id, 2, sampleBytes(PART_BYTES, 'second')));
      const { text } = await uploads.complete('large', id, named);
      return text.match(/<ETag>(.*)<\/ETag>/)?.[1]?.replaceAll('&quot;', '"');
    },
  };

  it.each(Object.keys(written))('%s has the ETag before its commit is finished that it has afterwards', async (how) => {
    const bucket = await freshBucket(tusk);
    const etag = await written[how]?.(bucket);
    expect(await isPending(bucket)).toBe(true);
    expect((await send(tusk.url, 'HEAD', `/${bucket}/large`)).headers['etag']).toBe(etag);
    expect(await isPending(bucket)).toBe(true);
    await eventually(
      'the commit is finished',
      () => isPending(bucket),
      (pending) => !pending,
    );
    // Another gateway knows only what pachd says of the commit.
    const other = await startTusk({ pachd: devpachd.address });
    onTestFinished(() => other.stop().then(() => undefined));
    expect((await send(other.url, 'HEAD', `/${bucket}/large`)).headers['etag']).toBe(etag);
  });
});

describe('many writes at once', () => {
  it('go into few commits, each with its own outcome', async () => {
    const bucket = await freshBucket(tusk);
    await put(bucket, 'taken', 'x');
    const commitsBefore = await tusk.pachd.commitCount(repoOf(bucket));
    const answers = await Promise.all([
      ...Array.from({ length: 60 }, (_, index) => put(bucket, `n/${index}`, String(index))),
      put(bucket, 'taken/below', 'x'),
      put(bucket, 'taken', 'y', { 'if-none-match': '*' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 60 }, () => 200), 409, 412]);
    expect((await tusk.pachd.commitCount(repoOf(bucket))) - commitsBefore).toBeLessThanOrEqual(8);
    expect((await list(bucket)).length).toBe(61);
  });

  it('have exactly one winner where each wants to be the first', async () => {
    const bucket = await freshBucket(tusk);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => put(bucket, 'one', String(index), { 'if-none-match': '*' })),
    );
    const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
    expect(winners).toHaveLength(1);
    expect((await get(bucket, 'one')).text).toBe(String(winners[0]));
  });
});
