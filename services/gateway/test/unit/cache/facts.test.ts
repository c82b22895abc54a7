import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFacts, type FactKind, type Facts } from '../../../src/cache/facts.ts';
import { openRedis, type Redis } from '../../../src/cache/redis.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

const HOUR_MS = 3_600_000;
const silent = createLog('test', 'silent');

const textOf = (changes: FactKind<string>['changes'], name = 'text'): FactKind<string> => ({
  name,
  changes,
  encode: (value) => Buffer.from(value),
  decode: (bytes) => Buffer.from(bytes).toString(),
});

let server: RedisServer;
const opened: Redis[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterEach(async () => {
  for (const redis of opened.splice(0)) await redis.close();
  server.resume();
  await server.cli('config', 'set', 'maxmemory', '0');
  await server.cli('flushall');
});

afterAll(() => server.stop());

async function openAgain(): Promise<Redis> {
  const redis = openRedis(parseRedisUrl(`redis://127.0.0.1:${server.port}`), { log: silent, deadlineMs: 1_000 });
  opened.push(redis);
  await redis.tried;
  return redis;
}

async function facts(kind = textOf('ends'), secret = 'secret'): Promise<Facts<string>> {
  return createFacts(await openAgain(), secret, kind, silent);
}

const never = (): Promise<never> => Promise.reject(new Error('it is known already'));
const answering = (value: string, forMs = HOUR_MS) => Promise.resolve({ value, forMs });

describe('what the fleet knows', () => {
  it.each(['never', 'ends'] as const)('one has asked, and the others know (%s changes)', async (changes) => {
    const [one, other] = [await facts(textOf(changes)), await facts(textOf(changes))];
    expect(await other.get('key')).toBeUndefined();
    expect((await one.find('key', () => answering('value'))).value).toBe('value');
    const known = await other.find('key', never);
    expect(known.value).toBe('value');
    expect(known.leftMs).toBeGreaterThan(HOUR_MS / 2);
    expect(known.leftMs).toBeLessThanOrEqual(HOUR_MS);
  });

  it('is asked again where it is not enough, and is that from then on', async () => {
    const one = await facts();
    await one.find('key', () => answering('little'));
    const isEnough = (value: string) => value === 'much';
    expect((await one.find('key', () => answering('much'), isEnough)).value).toBe('much');
    expect((await one.find('key', never, isEnough)).value).toBe('much');
  });

  it('is nobody else’s: not of another key, kind or secret', async () => {
    const one = await facts();
    await one.find('key', () => answering('value'));
    expect(await one.get('other key')).toBeUndefined();
    expect(await (await facts(textOf('ends', 'other'))).get('key')).toBeUndefined();
    expect(await (await facts(textOf('ends'), 'other secret')).get('key')).toBeUndefined();
    const key = await server.cli('keys', '*');
    await one.find('other key', () => answering('other value'));
    const otherKey = (await server.cli('keys', '*')).split('\n').find((name) => name !== key);
    await server.cli('copy', key, otherKey ?? '', 'replace');
    expect(await one.get('other key')).toBeUndefined();
  });

  it('stands in Redis neither by name nor by value', async () => {
    const one = await facts();
    await one.find('token-of-somebody', () => answering('name-of-somebody'));
    const key = await server.cli('keys', '*');
    expect(`${key} ${await server.cli('get', key)}`).not.toMatch(/somebody/);
  });

  it('ends', async () => {
    const one = await facts();
    await one.find('key', () => answering('value', 20));
    await eventually(
      'it is over',
      () => one.get('key'),
      (known) => known === undefined,
    );
    // Of what is over already when it is answered nothing is kept at all.
    const late = async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return answering('late', 20);
    };
    expect((await one.find('late', late)).value).toBe('late');
    expect(await server.cli('dbsize')).toBe('0');
  });

  it('is believed from when it was asked, however late Redis does what it was told', async () => {
    const one = await facts();
    // Redis knows the script from now on.
    await one.find('before', () => answering('value', 1));
    const asked = async () => {
      server.pause();
      return answering('value', 1_500);
    };
    // The deadline ends the wait, not what is on its way.
    await one.find('key', asked);
    const since = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    server.resume();
    await eventually(
      'Redis goes on',
      () => opened[0]?.stats().state,
      (state) => state === 'up',
    );
    expect(Date.now() - since).toBeGreaterThan(1_500);
    expect(await server.cli('dbsize')).toBe('0');
  });

  it('that never changes is kept without being asked for', async () => {
    const one = await facts(textOf('never'));
    one.note('key', 'value', HOUR_MS);
    const known = await eventually(
      'it is known',
      () => one.get('key'),
      (found) => found !== undefined,
    );
    expect(known?.value).toBe('value');
  });

  it('is not kept where it is large, or Redis nearly full', async () => {
    const one = await facts();
    await one.find('large', () => answering('x'.repeat((256 << 10) + 1)));
    expect(await server.cli('dbsize')).toBe('0');
    await one.find('largest', () => answering('x'.repeat(256 << 10)));
    expect(await server.cli('dbsize')).toBe('1');
    // So much that what comes and goes beside it does not count.
    await server.cli('setrange', 'much', String(32 << 20), 'x');
    await server.cli('config', 'set', 'maxmemory', String(Math.ceil(Number(await server.info('used_memory')) * 1.15)));
    await one.find('full', () => answering('value'));
    expect(await one.get('full')).toBeUndefined();
    expect(await one.get('largest')).toBeDefined();
  });

  it('carries the era of Redis where it may change, and none where it never does', async () => {
    const before = [await facts(textOf('ends')), await facts(textOf('never', 'fixed'))] as const;
    for (const one of before) await one.find('key', () => answering('value'));
    const keys = (await server.cli('keys', '*')).split('\n').map((key) => key.split(':')[2]);
    expect(keys).toContain('lasting');
    expect(new Set(keys).size).toBe(2);
  });

  it('is nothing where Redis is lost, and whoever asks is answered', async () => {
    const one = await facts();
    await one.find('key', () => answering('value'));
    server.pause();
    expect(await one.get('key')).toBeUndefined();
    expect((await one.find('key', () => answering('asked'))).value).toBe('asked');
    one.note('key', 'noted', HOUR_MS);
    await expect(one.find('key', () => Promise.reject(new Error('pachd is gone')))).rejects.toThrow('pachd is gone');
  });

  it('is nothing without a fleet', async () => {
    const one = createFacts(undefined, 'secret', textOf('ends'), silent);
    expect(await one.get('key')).toBeUndefined();
    expect(await one.find('key', () => answering('asked'))).toMatchObject({ value: 'asked' });
    expect(await one.get('key')).toBeUndefined();
  });
});
