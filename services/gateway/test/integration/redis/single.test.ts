import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Redis } from '../../../src/cache/redis.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { type RedisProxy, startProxy } from '../../support/redis-proxy.ts';
import {
  connected,
  countLasting,
  countOfEra,
  countsLasting,
  countsOf,
  countsOfEra,
  outcomeOf,
  untilUp,
} from './scripts.ts';

const DEADLINE_MS = 250;

let server: RedisServer;
const cleanups: (() => Promise<void>)[] = [];

beforeEach(async () => {
  server = await startRedis({ settings: { 'enable-debug-command': 'local' } });
  cleanups.push(() => server.stop());
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(port = server.port, deadlineMs?: number): Promise<Redis> {
  const redis = await connected(`redis://127.0.0.1:${port}`, deadlineMs);
  cleanups.push(() => redis.close());
  return redis;
}

async function through(deadlineMs?: number): Promise<{ readonly redis: Redis; readonly proxy: RedisProxy }> {
  const proxy = await startProxy(server);
  cleanups.push(() => proxy.close());
  return { proxy, redis: await open(proxy.port, deadlineMs) };
}

describe('a script', () => {
  it('has its keys and values, bytes as they are, and nothing else', async () => {
    const redis = await open();
    const bytes = Buffer.from([0, 255, 13, 10]);
    for (const keys of ['era', 'lasting'] as const) {
      const source = '#!lua\nreturn {#KEYS, #ARGV, ARGV[1], ARGV[2], KEYS[2]}';
      const script = { name: 'echo', keys, answered: 'at-once', source } as const;
      const answer = (await redis.run(script, 'slot', ['a', 'b'], [bytes, 7])) as Buffer[];
      expect(answer.slice(0, 4)).toEqual([2, 2, bytes, Buffer.from('7')]);
      expect(String(answer[4])).toMatch(/^tusk:\{slot\}:[\w-]+:b$/);
    }
  });

  it('goes with all others of one turn of the event loop in one write', async () => {
    const redis = await open();
    await redis.run(countLasting, 'a', ['n'], ['first']);
    const before = redis.stats();
    await Promise.all(Array.from({ length: 100 }, (_, at) => redis.run(countLasting, 'a', ['n'], [at])));
    const { scripts, writes } = redis.stats();
    expect(scripts - before.scripts).toBe(100);
    expect(writes - before.writes).toBe(1);
  });

  it('is sent whole where Redis does not know it, and done once', async () => {
    const redis = await open();
    await redis.run(countLasting, 'a', ['n'], ['before']);
    await server.cli('script', 'flush');
    await Promise.all(['one', 'two'].map((value) => redis.run(countLasting, 'a', ['n'], [value])));
    expect(await countsOf(redis, 'a')).toEqual({ before: 1, one: 1, two: 1 });
  });

  it('that is faulty is an error of its own, and the connection stays', async () => {
    const redis = await open();
    const faulty = { ...countLasting, name: 'faulty', source: '#!lua\nreturn nothing.here' };
    await expect(redis.run(faulty, 'a', ['n'], [])).rejects.toThrow(/the script faulty fails/);
    expect(await redis.run(countLasting, 'a', ['n'], ['after'])).toBe(1);
    expect(redis.stats()).toMatchObject({ reconnects: 0, lost: 0, state: 'up' });
  });

  it('is lost where Redis is full, and the connection stays', async () => {
    const redis = await open();
    await server.cli('config', 'set', 'maxmemory', '1');
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['full']))).toBe('lost');
    await server.cli('config', 'set', 'maxmemory', '0');
    expect(await redis.run(countLasting, 'a', ['n'], ['after'])).toBe(1);
    expect(redis.stats().reconnects).toBe(0);
  });
});

describe('when the connection is cut', () => {
  it.each([
    ['at the answer, a script was done once', 'cutAtAnswerTo', 1],
    ['before the script arrives, it was never done', 'cutBefore', undefined],
  ] as const)('%s', async (_, cut, times) => {
    const { redis, proxy } = await through();
    await redis.run(countLasting, 'a', ['n'], ['known']);
    proxy[cut]('the-victim');
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['the-victim']))).toBe('lost');
    await untilUp(redis);
    expect((await countsOf(redis, 'a'))['the-victim']).toBe(times);
    expect(redis.stats()).toMatchObject({ reconnects: 1, lost: 1 });
  });

  it('again and again under load, no script is done twice, and each that was answered was done', async () => {
    const { redis, proxy } = await through();
    const outcomes = new Map<string, unknown>();
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < 1_500) {
        const value = `value-${next++}-`;
        if (next % 500 === 250) proxy.cutAtAnswerTo(`value-${next + 20}-`);
        if (next % 500 === 0) proxy.cutBefore(`value-${next + 20}-`);
        outcomes.set(value, await outcomeOf(redis.run(countLasting, 'a', ['n'], [value])));
        if (outcomes.get(value) === 'lost') await untilUp(redis);
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    const counts = await countsOf(redis, 'a');
    expect(redis.stats().reconnects).toBeGreaterThanOrEqual(5);
    expect(Object.values(counts).filter((count) => count !== 1)).toEqual([]);
    const missing = [...outcomes].filter(([value, outcome]) => outcome !== 'lost' && counts[value] === undefined);
    expect(missing).toEqual([]);
  });
});

describe('when Redis does not answer', () => {
  it('a call is lost at the deadline, those after it at once, and none is done twice', async () => {
    const redis = await open(server.port, DEADLINE_MS);
    await redis.run(countLasting, 'a', ['n'], ['before']);
    server.pause();
    const waiting = Promise.all(['one', 'two'].map((value) => outcomeOf(redis.run(countLasting, 'a', ['n'], [value]))));
    expect(await waiting).toEqual(['lost', 'lost']);
    // Nothing is sent any more: a call that waited for an answer would be given up only when the server goes on.
    const { scripts } = redis.stats();
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['late']))).toBe('lost');
    expect(redis.stats().scripts).toBe(scripts);
    server.resume();
    await untilUp(redis);
    // They had been received: a script that was given up may be done all the same.
    const counts = await eventually(
      'all is done',
      () => countsOf(redis, 'a'),
      (all) => Object.keys(all).length >= 3,
    );
    expect(counts).toEqual({ before: 1, one: 1, two: 1 });
  });

  it('a partition is noticed also by who asks nothing, and it is left behind', async () => {
    const { redis, proxy } = await through(DEADLINE_MS);
    proxy.block();
    await eventually(
      'noticed',
      () => redis.stats().state,
      (state) => state === 'down',
    );
    proxy.unblock();
    await untilUp(redis);
    expect(await redis.run(countLasting, 'a', ['n'], ['after'])).toBe(1);
  });

  it('one that always answers late is as good as lost, and taken back when it is quick again', async () => {
    const { redis, proxy } = await through(DEADLINE_MS);
    proxy.delay(2 * DEADLINE_MS);
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['late']))).toBe('lost');
    const connections = proxy.connections();
    await eventually(
      'it was tried again, more than once',
      () => proxy.connections(),
      (count) => count >= connections + 2,
    );
    expect(redis.stats()).toMatchObject({ state: 'down', reconnects: 0 });
    proxy.delay(0);
    await untilUp(redis);
    expect(await redis.run(countLasting, 'a', ['n'], ['after'])).toBe(1);
  });

  it('because a script takes long, only that is lost and what comes meanwhile', async () => {
    const redis = await open(server.port, DEADLINE_MS);
    const slow = {
      ...countLasting,
      name: 'slow',
      source: '#!lua\nlocal n = 0 while n < 1e8 do n = n + 1 end return n',
    };
    expect(await outcomeOf(redis.run(slow, 'a', ['n'], []))).toBe('lost');
    await untilUp(redis);
    expect(await redis.run(countLasting, 'a', ['n'], ['after'])).toBe(1);
  });

  it('a process that stood still itself takes the answer that came meanwhile', async () => {
    const redis = await open(server.port, DEADLINE_MS);
    await redis.run(countLasting, 'a', ['n'], ['known']);
    const answer = outcomeOf(redis.run(countLasting, 'a', ['n'], ['one']));
    // It is sent in this turn, and the timer is due before the answer is read.
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = Date.now() + 2 * DEADLINE_MS;
    while (Date.now() < untilMs);
    expect(await answer).toBe(1);
    expect(redis.stats()).toMatchObject({ lost: 0, reconnects: 0 });
  });
});

describe('an era', () => {
  it('ends when the server is started anew, and is the same for everybody', async () => {
    const [one, two] = [await open(), await open()];
    expect(await one.run(countOfEra, 'a', ['n'], ['x'])).toBe(1);
    expect(await two.run(countOfEra, 'a', ['n'], ['x'])).toBe(2);
    const [before] = (await server.cli('keys', 'tusk:{a}:*')).split('\n');
    await server.kill();
    await eventually(
      'lost',
      () => one.stats().state,
      (state) => state === 'down',
    );
    expect(await outcomeOf(one.run(countOfEra, 'a', ['n'], ['x']))).toBe('lost');
    await server.start();
    await Promise.all([untilUp(one), untilUp(two)]);
    await server.cli('hset', before ?? '', 'x', '7');
    expect(await one.run(countOfEra, 'a', ['n'], ['x'])).toBe(1);
    expect(await two.run(countOfEra, 'a', ['n'], ['x'])).toBe(2);
  });

  it('ends under a connection that stays when the server has been a replica meanwhile', async () => {
    const redis = await open();
    const other = await startRedis();
    cleanups.push(() => other.stop());
    await redis.run(countOfEra, 'a', ['n'], ['old']);
    await redis.run(countLasting, 'a', ['n'], ['lasting']);
    // A replica of a server that never had anything, and the primary again.
    await server.cli('replicaof', other.host, String(other.port));
    await eventually(
      'it follows',
      () => server.info('master_link_status'),
      (status) => status === 'up',
    );
    await server.cli('replicaof', 'no', 'one');
    const outcome = await outcomeOf(redis.run(countOfEra, 'a', ['n'], ['new']));
    expect(['lost', 1]).toContain(outcome);
    await untilUp(redis);
    await redis.run(countOfEra, 'a', ['n'], ['newer']);
    expect((await countsOf(redis, 'a', countsOfEra))['old']).toBeUndefined();
  });

  it('ends under a connection that stays when only the replication id changes', async () => {
    const redis = await open();
    await redis.run(countOfEra, 'a', ['n'], ['old']);
    // What a primary does that was without a replica for an hour.
    await server.cli('debug', 'change-repl-id');
    expect(await outcomeOf(redis.run(countOfEra, 'a', ['n'], ['refused']))).toBe('lost');
    await untilUp(redis);
    await redis.run(countOfEra, 'a', ['n'], ['new']);
    expect(await countsOf(redis, 'a', countsOfEra)).toEqual({ new: 1 });
    expect(Object.keys(await countsOf(redis, 'a', countsLasting))).toEqual([]);
  });
});

describe('a slow start', () => {
  it('is no error: who comes before Redis is connected when it is there', async () => {
    await server.kill();
    const redis = await (async () => {
      const opening = open();
      await server.start();
      return opening;
    })();
    expect(await redis.run(countLasting, 'a', ['n'], ['x'])).toBe(1);
  });
});
