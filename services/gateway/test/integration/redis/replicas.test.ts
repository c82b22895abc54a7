// Primary, replicas, Sentinels.
import { afterEach, describe, expect, it } from 'vitest';
import type { Redis } from '../../../src/cache/redis.ts';
import { eventually } from '../../support/eventually.ts';
import { startReplicated, startSentinel } from '../../support/redis-fleets.ts';
import {
  connected,
  countLasting,
  countOfEra,
  countReplicated,
  countsOf,
  countsOfEra,
  outcomeOf,
  untilUp,
} from './scripts.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(url: string): Promise<Redis> {
  const redis = await connected(url);
  cleanups.push(() => redis.close());
  return redis;
}

describe('a script that is to be replicated', () => {
  it('is answered when a replica has it, and is lost where none says so; others do not wait', async () => {
    const servers = await startReplicated(1);
    cleanups.push(() => servers.stop());
    const [replica] = servers.replicas;
    const redis = await open(`redis://127.0.0.1:${servers.primary.port}`);
    expect(await redis.run(countReplicated, 'a', ['n'], ['one'])).toBe(1);
    expect(await replica!.cli('hget', 'tusk:{a}:lasting:n', 'one')).toBe('1');
    replica!.pause();
    const [replicated, atOnce] = await Promise.all([
      outcomeOf(redis.run(countReplicated, 'a', ['n'], ['two'])),
      outcomeOf(redis.run(countLasting, 'a', ['n'], ['three'])),
    ]);
    expect(replicated).toBe('lost');
    expect(atOnce).toBe(1);
    // The connection is in order: a replica that is late is not a Redis that is lost.
    expect(redis.stats()).toMatchObject({ state: 'up', reconnects: 0 });
    replica!.resume();
    expect(await countsOf(redis, 'a')).toEqual({ one: 1, two: 1, three: 1 });
  });

  it('waits for nobody where there is no replica any more', async () => {
    const servers = await startReplicated(1);
    cleanups.push(() => servers.stop());
    const redis = await open(`redis://127.0.0.1:${servers.primary.port}`);
    await servers.replicas[0]!.kill();
    let value = 0;
    await eventually(
      'it is known',
      () => outcomeOf(redis.run(countReplicated, 'a', ['n'], [value++])),
      (outcome) => outcome === 1,
    );
  });
});

describe('a primary without enough replicas', () => {
  it('refuses everything, when it was told to', async () => {
    const servers = await startReplicated(1);
    cleanups.push(() => servers.stop());
    await servers.primary.cli('config', 'set', 'min-replicas-to-write', '1');
    const redis = await open(`redis://127.0.0.1:${servers.primary.port}`);
    expect(await redis.run(countOfEra, 'a', ['n'], ['one'])).toBe(1);
    await servers.replicas[0]!.kill();
    await eventually(
      'the primary knows',
      () => servers.primary.info('connected_slaves'),
      (count) => count === '0',
    );
    expect(await outcomeOf(redis.run(countsOfEra, 'a', ['n'], []))).toBe('lost');
    expect(redis.stats()).toMatchObject({ state: 'up', reconnects: 0 });
  });
});

describe('with Sentinels', () => {
  it('goes to the primary, and after its death to the replica in its place, in another era', async () => {
    const servers = await startSentinel(1, 3);
    cleanups.push(() => servers.stop());
    const redis = await open(servers.url);
    expect(await redis.run(countReplicated, 'a', ['n'], ['kept'])).toBe(1);
    expect(await redis.run(countOfEra, 'a', ['n'], ['of the old era'])).toBe(1);
    await servers.primary.kill();
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['in between']))).toBe('lost');
    const primary = await servers.otherPrimary(servers.primary);
    await untilUp(redis);
    await eventually(
      'promoted',
      () => primary.info('role'),
      (role) => role === 'master',
    );
    await untilUp(redis);
    expect(await redis.run(countOfEra, 'a', ['n'], ['of the new era'])).toBe(1);
    expect(await countsOf(redis, 'a')).toEqual({ kept: 1 });
    expect(await countsOf(redis, 'a', countsOfEra)).toEqual({ 'of the new era': 1 });
  });

  it('follows when a replica is promoted while the primary lives, and no script is done twice', async () => {
    const servers = await startSentinel(1, 3);
    cleanups.push(() => servers.stop());
    // What docs/architecture.md asks for: without its replica the old primary answers nobody.
    await servers.primary.cli('config', 'set', 'min-replicas-to-write', '1');
    const redis = await open(servers.url);
    const outcomes = new Map<string, unknown>();
    let isOver = false;
    const writing = (async () => {
      for (let at = 0; !isOver; at++) {
        const value = `value ${at}`;
        outcomes.set(value, await outcomeOf(redis.run(countReplicated, 'a', ['n'], [value])));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    const primary = await servers.failOver();
    await untilUp(redis);
    let value = 0;
    await eventually(
      // The old one is told only seconds later that it is a replica.
      'scripts go to the new primary',
      async () => {
        await outcomeOf(redis.run(countLasting, 'b', ['n'], [value++]));
        return primary.cli('hlen', 'tusk:{b}:lasting:n');
      },
      (length) => Number(length) > 0,
    );
    expect(await servers.primary.info('role')).toBe('master');
    isOver = true;
    await writing;
    const counts = await countsOf(redis, 'a');
    expect(Object.values(counts).filter((count) => count !== 1)).toEqual([]);
    // What was answered had been confirmed by the replica, which is the primary now.
    expect([...outcomes].filter(([name, outcome]) => outcome === 1 && counts[name] !== 1)).toEqual([]);
    expect([...outcomes.values()]).toContain(1);
  });
});
