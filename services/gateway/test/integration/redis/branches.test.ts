import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedisBranchCache, type DeltaCodec } from '../../../src/cache/branches-redis.ts';
import { openRedis, type Redis } from '../../../src/cache/redis.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import { CacheLost } from '../../../src/cache/script.ts';
import type { BranchCache } from '../../../src/cache/shared.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { describeBranchCache, finished, HOUR_MS } from '../../unit/cache/branch-cache.ts';

type Cache = BranchCache<ReturnType<typeof finished>, string>;

const text: DeltaCodec<string> = {
  encode: (delta, place) => Buffer.from(`${place}=${delta}`),
  decode: (bytes, place) => {
    const read = Buffer.from(bytes).toString();
    return read.startsWith(`${place}=`) ? read.slice(place.length + 1) : undefined;
  },
};
const silent = { info: () => {}, warn: () => {} };

let server: RedisServer;
const connections: Redis[] = [];

/** A cache as one more worker has it. */
async function newWorker(ttlMs = HOUR_MS): Promise<Cache> {
  const redis = openRedis(parseRedisUrl(`redis://${server.host}:${server.port}`), { log: silent });
  connections.push(redis);
  await redis.tried;
  return createRedisBranchCache(redis, text, ttlMs);
}

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(async () => {
  await server.cli('flushall');
});
afterAll(async () => {
  for (const redis of connections) await redis.close();
  await server.stop();
});

async function know(cache: Cache, headId: string): Promise<void> {
  const { nonce, nowMs } = await cache.read('b');
  await cache.store('b', nonce, nowMs, finished(headId));
}

const keyOf = (name: string) => server.cli('keys', `*:${name}`);

describe('the branch cache in Redis', () => {
  describeBranchCache(newWorker);

  it('gives to all workers what one has stored and published', async () => {
    const [one, two] = [await newWorker(), await newWorker()];
    await know(one, 'head');
    expect((await two.read('b')).state).toEqual(finished('head'));
    await (await one.takeTurn('b'))?.publish('head', 'next', 'what next changed');
    const { state, deltas } = await two.read('b');
    expect(state).toEqual({ headId: 'next', pending: ['next'] });
    expect(deltas.get('next')).toBe('what next changed');
  });

  it('gives equal states as one object, so that what is made of it is made once', async () => {
    const cache = await newWorker();
    await know(cache, 'head');
    const [first, second] = [await cache.read('b'), await cache.read('b')];
    expect(first.state).toBe(second.state);
  });

  it('lets one worker at a time look a branch up, and another when the first could not', async () => {
    const [one, two] = [await newWorker(), await newWorker()];
    const { looking, nonce, nowMs } = await one.read('b');
    expect(looking).toBe(false);
    expect((await two.read('b')).looking).toBe(true);
    expect(await two.pending('other')).toEqual([]);
    expect((await one.read('other')).looking).toBe(false);
    await one.store('b', nonce, nowMs, undefined);
    expect((await two.read('b')).looking).toBe(false);
  });

  it('shares a read among those who ask at the same moment, and with nobody later', async () => {
    const cache = await newWorker();
    const early = cache.read('b');
    expect(cache.read('b')).toBe(early);
    await new Promise((resolve) => setImmediate(resolve));
    const late = cache.read('b');
    expect(late).not.toBe(early);
    await Promise.all([early, late]);
  });

  it('believes no delta that was put in the place of another', async () => {
    const [one, two] = [await newWorker(), await newWorker()];
    await know(one, 'head');
    await (await one.takeTurn('b'))?.publish('head', 'next', 'what next changed');
    const key = await keyOf('d:next');
    await server.cli('rename', key, key.replace('d:next', 'd:other'));
    expect(await two.delta('b', 'other')).toBeUndefined();
    expect((await two.read('b')).state).toBeUndefined();
    expect((await one.read('b')).state?.headId).toBe('next');
  });

  it('refuses what was looked up before the server was flushed', async () => {
    const [one, two] = [await newWorker(), await newWorker()];
    await know(one, 'head');
    const before = await two.read('b');
    await server.cli('flushall');
    expect((await one.read('b')).state).toBeUndefined();
    await two.store('b', before.nonce, before.nowMs, finished('head'));
    expect((await one.read('b')).state).toBeUndefined();
  });

  it('loses a turn to another worker when its time has run out, and notices', async () => {
    const [one, two] = [await newWorker(), await newWorker()];
    const turn = await one.takeTurn('b');
    expect(turn?.holds()).toBe(true);
    expect(await turn?.pin('head')).toBe(true);
    await server.cli('del', await keyOf('t'));
    const other = await two.takeTurn('b');
    expect(await turn?.pin('head')).toBe(false);
    expect(turn?.holds()).toBe(false);
    await turn?.end('untouched');
    expect(await other?.pin('head')).toBe(true);
    await other?.end('untouched');
  });

  it('gives a turn to who waits before who has just had it', async () => {
    const [one, two] = [await newWorker(), await newWorker()];
    const order: string[] = [];
    const write = async (cache: Cache, name: string) => {
      for (let round = 0; round < 5; round++) {
        const turn = await cache.takeTurn('b');
        order.push(name);
        await sleep(40);
        await turn?.end('untouched');
      }
    };
    await Promise.all([write(one, 'one'), write(two, 'two')]);
    expect(order.join(' ')).toMatch(/^(one two ){4}one two$|^(two one ){4}two one$/);
  });

  it('keeps a turn for as long as its holder lives', async () => {
    const cache = await newWorker();
    const turn = await cache.takeTurn('b');
    const key = await keyOf('t');
    await server.cli('pexpire', key, '1500');
    const leftMs = () => server.cli('pttl', key).then(Number);
    await eventually('the turn is renewed', leftMs, (ms) => ms > 2_000);
    expect(turn?.holds()).toBe(true);
    await turn?.end('untouched');
    expect(await server.cli('exists', key)).toBe('0');
  });

  it('tells that it is lost, and knows nothing of before when it is back', async () => {
    const cache = await newWorker();
    await know(cache, 'head');
    await server.kill();
    await expect(cache.read('b')).rejects.toThrow(CacheLost);
    await expect(cache.takeTurn('b')).rejects.toThrow(CacheLost);
    await server.start();
    const read = () => cache.read('b').catch(() => undefined);
    const back = await eventually('Redis is back', read, (found) => found !== undefined);
    expect(back?.state).toBeUndefined();
  });
});
