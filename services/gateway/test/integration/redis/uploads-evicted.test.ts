import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Redis } from '../../../src/cache/redis.ts';
import type { UploadRegistry } from '../../../src/cache/uploads.ts';
import { createRedisUploads } from '../../../src/cache/uploads-redis.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { connected } from './scripts.ts';

const HOUR_MS = 3_600_000;
const BUCKET = 'master.repo.default';
const UPLOAD = { bucket: BUCKET, id: 'u', key: 'k' };
const PART = { number: 1, etag: 'e', sizeBytes: 3, modifiedMs: 1, fileSetId: 'set' };
const COMPLETED = { request: 'r', commitId: 'c', committedMs: 1, hash: 'h' };

let server: RedisServer;
let redis: Redis;
let registry: UploadRegistry;

beforeAll(async () => {
  server = await startRedis();
  redis = await connected(`redis://127.0.0.1:${server.port}`);
  registry = createRedisUploads(redis, 'secret');
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

const steps: Readonly<Record<string, (claim: string) => Promise<unknown>>> = {
  get: () => registry.get(BUCKET, 'u'),
  list: () => registry.list(BUCKET),
  parts: () => registry.parts(BUCKET, 'u', 0, 10),
  'put part': () => registry.putPart(BUCKET, 'u', { ...PART, number: 2 }),
  claim: () => registry.claim(BUCKET, 'u', HOUR_MS),
  renew: (claim) => registry.renew(BUCKET, 'u', claim, HOUR_MS),
  release: (claim) => registry.release(BUCKET, 'u', claim),
  complete: (claim) => registry.complete(BUCKET, 'u', claim, COMPLETED, HOUR_MS),
  remove: () => registry.remove(BUCKET, 'u'),
};

const KEYS = ['records', 'ends', 'claims', 'sizes', 'parts:u'];

/** An upload that somebody completes, of which Redis has thrown away a part. */
async function evicted(key: string): Promise<string> {
  await server.cli('flushall');
  await registry.create({ ...UPLOAD, initiatedMs: 0, expiresMs: HOUR_MS });
  await registry.putPart(BUCKET, 'u', PART);
  const outcome = await registry.claim(BUCKET, 'u', HOUR_MS);
  const names = (await server.cli('keys', '*')).split('\n');
  const name = names.find((one) => one.endsWith(key));
  expect(await server.cli('del', name ?? '')).toBe('1');
  return outcome.kind === 'claimed' ? outcome.claim : '';
}

it.each(KEYS)('what is asked of an upload is answered when Redis has thrown away its %s', async (key) => {
  for (const step of Object.values(steps)) await step(await evicted(key));
});

it('an upload without its record is gone', async () => {
  const claim = await evicted('records');
  expect(await registry.get(BUCKET, 'u')).toBeUndefined();
  await registry.release(BUCKET, 'u', claim);
  expect(await registry.claim(BUCKET, 'u', HOUR_MS)).toEqual({ kind: 'none' });
});
