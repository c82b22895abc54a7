// What all registries do alike, and what those do besides that outlive their process and may be shared.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../../src/cache/redis.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import type { PartRecord, UploadRecord, UploadRegistry } from '../../../src/cache/uploads.ts';
import { openUploads } from '../../../src/cache/uploads-lmdb.ts';
import { createMemoryUploads } from '../../../src/cache/uploads-memory.ts';
import { createRedisUploads } from '../../../src/cache/uploads-redis.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { makeFolder } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { ROOT } from '../../support/program.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const HOUR_MS = 3_600_000;
const BUCKET = 'master.repo.default';

function uploadOf(id: string, over: Partial<UploadRecord> = {}): UploadRecord {
  const initiatedMs = Date.now();
  return { id, bucket: BUCKET, key: `key of ${id}`, initiatedMs, expiresMs: initiatedMs + HOUR_MS, ...over };
}

function partOf(number: number, over: Partial<PartRecord> = {}): PartRecord {
  return { number, etag: `etag${number}`, sizeBytes: number, modifiedMs: 1, fileSetId: `set${number}`, ...over };
}

const completed = { request: 'r', commitId: 'c', committedMs: 1, hash: 'ff' };

async function folderOfOwn(): Promise<string> {
  const folder = await makeFolder();
  cleanups.push(folder.remove);
  return folder.path;
}

function opened(folder: string, alone = true): UploadRegistry {
  const registry = openUploads(folder, alone);
  cleanups.push(() => registry.close());
  return registry;
}

async function claimOf(registry: UploadRegistry, id: string, leaseMs = HOUR_MS): Promise<string> {
  const outcome = await registry.claim(BUCKET, id, leaseMs);
  if (outcome.kind !== 'claimed') throw new Error(`not claimed: ${outcome.kind}`);
  return outcome.claim;
}

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

/** As a gateway of a fleet has it; bursts of thousands of calls are given the time that they take. */
async function inRedis(secret = 'secret'): Promise<UploadRegistry> {
  const scripts = openRedis(parseRedisUrl(`redis://127.0.0.1:${redis.port}`), {
    log: createLog('test', 'silent'),
    deadlineMs: 30_000,
  });
  await scripts.tried;
  cleanups.push(
    () => scripts.close(),
    () => redis.cli('flushall'),
  );
  return createRedisUploads(scripts, secret);
}

describe.each([
  ['in memory', async () => createMemoryUploads()],
  ['in a folder', async () => opened(await folderOfOwn())],
  ['in Redis', () => inRedis()],
])('a registry %s', (_, make) => {
  it('gives an upload back with all that was said of it', async () => {
    const registry = await make();
    const summed = uploadOf('summed', { checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT' } });
    const plain = uploadOf('unsummed');
    for (const upload of [summed, plain]) await registry.create(upload);
    expect(await registry.get(BUCKET, 'summed')).toEqual(summed);
    expect(await registry.get(BUCKET, 'unsummed')).toEqual(plain);
    const listed = await registry.list(BUCKET);
    expect(listed).toHaveLength(2);
    expect(listed).toEqual(expect.arrayContaining([summed, plain]));
  });

  it('finds an upload in its own bucket only', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    expect(await registry.get(BUCKET, 'u')).toEqual(expect.objectContaining({ id: 'u', key: 'key of u' }));
    expect(await registry.get('master.other.default', 'u')).toBeUndefined();
    expect(await registry.parts('master.other.default', 'u', 0, 10)).toBeUndefined();
    expect(await registry.putPart('master.other.default', 'u', partOf(1))).toEqual({ kind: 'none' });
    expect(await registry.remove('master.other.default', 'u')).toEqual({ kind: 'none' });
    expect(await registry.claim('master.other.default', 'u', HOUR_MS)).toEqual({ kind: 'none' });
  });

  it('lists the uploads of a bucket, and of no bucket whose name begins like it', async () => {
    const registry = await make();
    for (const id of ['a', 'b']) await registry.create(uploadOf(id));
    await registry.create(uploadOf('c', { bucket: `${BUCKET}2` }));
    const listed = await registry.list(BUCKET);
    expect(listed.map(({ id }) => id).sort()).toEqual(['a', 'b']);
  });

  it('gives parts in the order of their numbers, in pages', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    for (const number of [300, 2, 10_000, 1]) await registry.putPart(BUCKET, 'u', partOf(number));
    const numbers = async (after: number, max: number) =>
      (await registry.parts(BUCKET, 'u', after, max))?.map(({ number }) => number);
    expect(await numbers(0, 3)).toEqual([1, 2, 300]);
    expect(await numbers(300, 3)).toEqual([10_000]);
    expect(await numbers(10_000, 3)).toEqual([]);
  });

  it('replaces a part, and says which file set that leaves', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    expect(await registry.putPart(BUCKET, 'u', partOf(1))).toEqual({ kind: 'put', replacedFileSetId: undefined });
    const again = partOf(1, { fileSetId: 'again' });
    expect(await registry.putPart(BUCKET, 'u', again)).toEqual({ kind: 'put', replacedFileSetId: 'set1' });
    expect(await registry.parts(BUCKET, 'u', 0, 10)).toEqual([again]);
  });

  it('lets one of many complete, and gives the others its answer', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    await registry.putPart(BUCKET, 'u', partOf(1));
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => registry.claim(BUCKET, 'u', HOUR_MS)));
    const claims = outcomes.flatMap((outcome) => (outcome.kind === 'claimed' ? [outcome.claim] : []));
    expect(claims).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'busy')).toHaveLength(19);
    expect(await registry.remove(BUCKET, 'u')).toEqual({ kind: 'busy' });
    // What is replaced now may be what is being composed.
    const again = await registry.putPart(BUCKET, 'u', partOf(1, { fileSetId: 'again' }));
    expect(again).toEqual({ kind: 'put', replacedFileSetId: undefined });
    expect(await registry.complete(BUCKET, 'u', claims[0] ?? '', completed, HOUR_MS)).toEqual(['again']);
    expect(await registry.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'completed', completed });
    expect(await registry.get(BUCKET, 'u')).toBeUndefined();
    expect(await registry.parts(BUCKET, 'u', 0, 10)).toBeUndefined();
    expect(await registry.list(BUCKET)).toEqual([]);
    expect(await registry.remove(BUCKET, 'u')).toEqual({ kind: 'none' });
  });

  it('goes on with an upload whose claim was given back', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    await registry.putPart(BUCKET, 'u', partOf(1));
    const claim = await claimOf(registry, 'u');
    await registry.release(BUCKET, 'u', claim);
    expect(await registry.parts(BUCKET, 'u', 0, 10)).toHaveLength(1);
    await claimOf(registry, 'u');
  });

  it('takes a claim from who does not renew it, and nothing from the one who has it then', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    const lost = await claimOf(registry, 'u', 1);
    const taken = await eventually(
      'the claim ends',
      () => registry.claim(BUCKET, 'u', HOUR_MS),
      ({ kind }) => kind === 'claimed',
    );
    await registry.renew(BUCKET, 'u', lost, 1);
    await registry.release(BUCKET, 'u', lost);
    expect(await registry.complete(BUCKET, 'u', lost, completed, HOUR_MS)).toEqual([]);
    expect(await registry.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'busy' });
    expect(taken.kind).toBe('claimed');
  });

  it('keeps a claim as long as it is renewed', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    const claim = await claimOf(registry, 'u', 1);
    await registry.renew(BUCKET, 'u', claim, HOUR_MS);
    expect(await registry.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'busy' });
  });

  it('has nothing of an upload that has expired', async () => {
    const registry = await make();
    await registry.create(uploadOf('old', { expiresMs: Date.now() - 1 }));
    await registry.create(uploadOf('new'));
    expect(await registry.get(BUCKET, 'old')).toBeUndefined();
    expect(await registry.putPart(BUCKET, 'old', partOf(1))).toEqual({ kind: 'none' });
    expect(await registry.claim(BUCKET, 'old', HOUR_MS)).toEqual({ kind: 'none' });
    expect(await registry.remove(BUCKET, 'old')).toEqual({ kind: 'none' });
    expect((await registry.list(BUCKET)).map(({ id }) => id)).toEqual(['new']);
  });

  it('forgets an answer when its time is over', async () => {
    const registry = await make();
    await registry.create(uploadOf('u'));
    await registry.complete(BUCKET, 'u', await claimOf(registry, 'u'), completed, 1);
    await eventually(
      'it is forgotten',
      () => registry.claim(BUCKET, 'u', HOUR_MS),
      ({ kind }) => kind === 'none',
    );
  });

  it('takes no more than 10,000 uploads of a bucket, and counts those no more that have ended', async () => {
    const registry = await make();
    const create = (id: number) => registry.create(uploadOf(`u${id}`));
    const created = await Promise.all(Array.from({ length: 10_000 }, (_, id) => create(id)));
    expect(new Set(created)).toEqual(new Set(['created']));
    expect(await create(10_000)).toBe('full');
    expect(await registry.remove(BUCKET, 'u7')).toEqual({ kind: 'removed', fileSetIds: [] });
    expect(await create(10_000)).toBe('created');
    expect(await create(10_001)).toBe('full');
  });
});

it.each([
  ['in memory', async () => createMemoryUploads()],
  ['in a folder', async () => opened(await folderOfOwn())],
])('a registry %s takes no more than 10,000 uploads of all buckets', async (_, make) => {
  const registry = await make();
  const create = (id: number) => registry.create(uploadOf(`u${id}`, { bucket: `b${id % 7}` }));
  await Promise.all(Array.from({ length: 10_000 }, (_, id) => create(id)));
  expect(await create(10_000)).toBe('full');
});

// The rules are the same ones; in a folder this takes long.
it('a registry takes no more than 200,000 parts, but others in place of them', async () => {
  const registry = createMemoryUploads();
  for (let upload = 0; upload < 20; upload++) {
    await registry.create(uploadOf(`u${upload}`));
    await Promise.all(
      Array.from({ length: 10_000 }, (_, at) => registry.putPart(BUCKET, `u${upload}`, partOf(at + 1))),
    );
  }
  await registry.create(uploadOf('more'));
  expect(await registry.putPart(BUCKET, 'more', partOf(1))).toEqual({ kind: 'full' });
  expect(await registry.putPart(BUCKET, 'u0', partOf(5))).toMatchObject({ kind: 'put' });
  const removed = await registry.remove(BUCKET, 'u0');
  expect(removed).toMatchObject({ kind: 'removed', fileSetIds: { length: 10_000 } });
  expect(await registry.putPart(BUCKET, 'more', partOf(1))).toMatchObject({ kind: 'put' });
});

describe('a registry in a folder', () => {
  it('is the same when it is opened again', async () => {
    const folder = await folderOfOwn();
    const before = openUploads(folder, true);
    await before.create(uploadOf('u'));
    await before.create(uploadOf('old', { expiresMs: Date.now() - 1 }));
    await before.putPart(BUCKET, 'u', partOf(1));
    await before.create(uploadOf('done'));
    await before.complete(BUCKET, 'done', await claimOf(before, 'done'), completed, HOUR_MS);
    await before.close();
    const after = opened(folder);
    expect((await after.list(BUCKET)).map(({ id }) => id)).toEqual(['u']);
    expect(await after.parts(BUCKET, 'u', 0, 10)).toEqual([partOf(1)]);
    expect(await after.claim(BUCKET, 'done', HOUR_MS)).toEqual({ kind: 'completed', completed });
  });

  it.each([
    ['ends the claims of those who had it before, opened by who has it alone', true, 'claimed'],
    ['keeps the claims of others', false, 'busy'],
  ])('%s', async (_, alone, kind) => {
    const folder = await folderOfOwn();
    const before = openUploads(folder, true);
    await before.create(uploadOf('u'));
    await claimOf(before, 'u');
    await before.close();
    expect(await opened(folder, alone).claim(BUCKET, 'u', HOUR_MS)).toMatchObject({ kind });
  });

  it('has every part that was acknowledged before a kill -9', async () => {
    const folder = await folderOfOwn();
    const registry = opened(folder, false);
    await registry.create(uploadOf('u'));
    const child = another(
      folder,
      `for (let number = 1; number <= 10_000; number++) {
         await registry.putPart(${JSON.stringify(BUCKET)}, 'u', { ...${JSON.stringify(partOf(1))}, number });
         console.log(number);
       }`,
    );
    let acknowledged = 0;
    for await (const line of createInterface({ input: child.stdout! })) {
      acknowledged = Number(line);
      if (acknowledged >= 200) child.kill('SIGKILL');
    }
    const parts = (await registry.parts(BUCKET, 'u', 0, 10_000)) ?? [];
    expect(parts.length).toBeGreaterThanOrEqual(acknowledged);
    expect(parts.map(({ number }) => number)).toEqual(parts.map((_, at) => at + 1));
  });

  it('lets one of two processes complete', async () => {
    const folder = await folderOfOwn();
    const registry = opened(folder, false);
    const ids = Array.from({ length: 200 }, (_, index) => `u${index}`);
    await Promise.all(ids.map((id) => registry.create(uploadOf(id))));
    const child = another(
      folder,
      `console.log('ready');
       for (const id of ${JSON.stringify(ids)}) {
         const { kind } = await registry.claim(${JSON.stringify(BUCKET)}, id, ${HOUR_MS});
         if (kind === 'claimed') console.log(id);
       }`,
    );
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    await lines.next();
    const mine: string[] = [];
    for (const id of ids) if ((await registry.claim(BUCKET, id, HOUR_MS)).kind === 'claimed') mine.push(id);
    const theirs: string[] = [];
    for (let line = await lines.next(); !line.done; line = await lines.next()) theirs.push(line.value);
    expect([...mine, ...theirs].sort()).toEqual([...ids].sort());
  });
});

/** Another process with the same folder. */
function another(folder: string, work: string): ChildProcess {
  const source = new URL(`file://${ROOT}/dist/services/gateway/src/cache/uploads-lmdb.js`).href;
  const program = `import { openUploads } from ${JSON.stringify(source)};
    const registry = openUploads(${JSON.stringify(folder)}, false);
    ${work}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => {
    child.kill('SIGKILL');
  });
  return child;
}

describe('a registry in Redis', () => {
  it('is the same for every gateway that has the secret, and for no other', async () => {
    const [one, other, stranger] = [await inRedis(), await inRedis(), await inRedis('another secret')];
    await one.create(uploadOf('u'));
    await one.putPart(BUCKET, 'u', partOf(1));
    expect(await other.parts(BUCKET, 'u', 0, 10)).toEqual([partOf(1)]);
    const claim = await claimOf(other, 'u');
    expect(await one.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'busy' });
    expect(await one.complete(BUCKET, 'u', claim, completed, HOUR_MS)).toEqual(['set1']);
    expect(await other.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'completed', completed });
    expect(await stranger.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'none' });
  });

  it('shows nobody a key, a bucket or a file set', async () => {
    const registry = await inRedis();
    await registry.create(uploadOf('u'));
    await registry.putPart(BUCKET, 'u', partOf(1));
    await registry.create(uploadOf('done'));
    await registry.complete(BUCKET, 'done', await claimOf(registry, 'done'), completed, HOUR_MS);
    for (const key of (await redis.cli('keys', '*')).split('\n')) {
      const dump = `${key} ${await redis.cli('dump', key)}`;
      expect(dump).not.toMatch(/key of|master|repo|set1|etag1/);
    }
  });

  it('does not take what somebody has put elsewhere', async () => {
    const registry = await inRedis();
    for (const id of ['u', 'v']) await registry.create(uploadOf(id));
    await registry.putPart(BUCKET, 'u', partOf(1));
    const keys = (await redis.cli('keys', '*')).split('\n');
    const from = keys.find((key) => key.endsWith('parts:u')) ?? '';
    await redis.cli('copy', from, from.replace(/u$/, 'v'));
    expect(await registry.parts(BUCKET, 'u', 0, 10)).toHaveLength(1);
    expect(await registry.parts(BUCKET, 'v', 0, 10)).toEqual([]);
  });

  it('leaves nothing in Redis that has no end', async () => {
    const registry = await inRedis();
    await registry.create(uploadOf('u'));
    await registry.putPart(BUCKET, 'u', partOf(1));
    await registry.create(uploadOf('done'));
    await registry.complete(BUCKET, 'done', await claimOf(registry, 'done'), completed, HOUR_MS);
    await claimOf(registry, 'u');
    const keys = (await redis.cli('keys', '*')).split('\n');
    expect(keys.map((key) => key.split(':').slice(3).join(':')).sort()).toEqual(
      ['answered', 'answers', 'claims', 'ends', 'parts:u', 'records', 'sizes'].sort(),
    );
    for (const key of keys) {
      const leftMs = Number(await redis.cli('pttl', key));
      expect(leftMs).toBeGreaterThan(HOUR_MS);
      expect(leftMs).toBeLessThan(2 * HOUR_MS);
    }
  });
});
