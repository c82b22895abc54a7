import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis, type Redis } from '../../../src/cache/redis.ts';
import { hashSlot } from '../../../src/cache/redis-slot.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { eventually } from '../../support/eventually.ts';
import { type ClusterRedis, startCluster } from '../../support/redis-fleets.ts';
import { CERTIFICATE_FILE, SERVES_TLS } from '../../support/tls.ts';
import { connected, countLasting, countOfEra, countReplicated, countsOf, countsOfEra, outcomeOf } from './scripts.ts';

const TAGS = Array.from({ length: 60 }, (_, at) => `tag ${at}`);

describe('a cluster of three primaries, each with a replica', () => {
  let cluster: ClusterRedis;
  let redis: Redis;

  beforeAll(async () => {
    cluster = await startCluster(1);
    redis = await connected(cluster.url);
  });

  afterAll(async () => {
    await redis?.close();
    await cluster?.stop();
  });

  it('has every slot where the cluster says, and no script goes to a wrong node', async () => {
    for (const tag of ['123456789', 'a', 'ü', 'tusk']) {
      expect(hashSlot(tag)).toBe(Number(await cluster.nodes[0]!.cli('cluster', 'keyslot', `x{${tag}}y`)));
    }
    const answers = await Promise.all(TAGS.map((tag) => redis.run(countReplicated, tag, ['n'], ['x'])));
    expect(new Set(answers)).toEqual(new Set([1]));
    const used = new Set(await Promise.all(TAGS.map(async (tag) => (await cluster.ownerOf(hashSlot(tag))).port)));
    expect(used.size).toBe(3);
    expect(redis.stats().lost).toBe(0);
  });

  it('goes on when a slot is given to another node: lasting keys are there, in a new era', async () => {
    const tag = 'moving';
    const from = await cluster.ownerOf(hashSlot(tag));
    const others = await Promise.all(TAGS.map((other) => cluster.ownerOf(hashSlot(other))));
    const to = others.find((node) => node.port !== from.port)!;
    await redis.run(countLasting, tag, ['n'], ['before']);
    await redis.run(countOfEra, tag, ['n'], ['before']);
    await cluster.move(hashSlot(tag), to);
    const outcomes: unknown[] = [];
    await eventually(
      'it is known where the slot is',
      async () => outcomes.push(await outcomeOf(redis.run(countLasting, tag, ['n'], [outcomes.length]))),
      () => outcomes.at(-1) === 1,
    );
    expect(await countsOf(redis, tag)).toEqual({ before: 1, [outcomes.length - 1]: 1 });
    await redis.run(countOfEra, tag, ['n'], ['after']);
    expect(await countsOf(redis, tag, countsOfEra)).toEqual({ after: 1 });
  });

  it('while a slot is on its way its calls are lost, and those of other slots are not', async () => {
    const tag = 'on its way';
    const from = await cluster.ownerOf(hashSlot(tag));
    const others = await Promise.all(TAGS.map((other) => cluster.ownerOf(hashSlot(other))));
    const to = others.find((node) => node.port !== from.port)!;
    const [fromId, toId] = [await from.cli('cluster', 'myid'), await to.cli('cluster', 'myid')];
    await to.cli('cluster', 'setslot', String(hashSlot(tag)), 'importing', fromId);
    await from.cli('cluster', 'setslot', String(hashSlot(tag)), 'migrating', toId);
    expect(await outcomeOf(redis.run(countLasting, tag, ['n'], ['new']))).toBe('lost');
    expect(await redis.run(countLasting, TAGS[0]!, ['m'], ['x'])).toBe(1);
    for (const node of [from, to]) await node.cli('cluster', 'setslot', String(hashSlot(tag)), 'stable');
    expect(await redis.run(countLasting, tag, ['n'], ['stable'])).toBe(1);
  });

  it('goes to the replica when a primary dies; the slots of the others never notice', async () => {
    const tag = TAGS[0]!;
    const dying = await cluster.ownerOf(hashSlot(tag));
    const owners = await Promise.all(
      TAGS.map(async (other) => [other, await cluster.ownerOf(hashSlot(other))] as const),
    );
    const [elsewhere] = owners.find(([, owner]) => owner.port !== dying.port)!;
    await redis.run(countReplicated, tag, ['n'], ['before the failover']);
    await dying.kill();
    let value = 0;
    await eventually(
      'the replica has taken its place',
      async () => {
        expect(await redis.run(countLasting, elsewhere, ['still'], [value++])).toBe(1);
        return outcomeOf(redis.run(countLasting, tag, ['n'], [`try ${value}`]));
      },
      (outcome) => outcome === 1,
    );
    const counts = await countsOf(redis, tag);
    expect(counts['before the failover']).toBe(1);
    expect(Object.values(counts).filter((count) => count !== 1)).toEqual([]);
  });
});

describe('a cluster over TLS', () => {
  it('has its scripts run by the node that the slot is of, and is believed only by who has its authority', async () => {
    const tls = { caFile: CERTIFICATE_FILE, certFile: CERTIFICATE_FILE, keyFile: SERVES_TLS['TUSK_TLS_KEY']! };
    const cluster = await startCluster(1, { tls });
    try {
      const redis = await connected(cluster.url);
      const answers = await Promise.all(TAGS.map((tag) => redis.run(countReplicated, tag, ['n'], ['x'])));
      expect(new Set(answers)).toEqual(new Set([1]));
      expect(redis.stats().lost).toBe(0);
      await redis.close();
      const doubtful = openRedis(parseRedisUrl(cluster.url.replace(/\?.*/, '')), { log: createLog('test', 'silent') });
      await doubtful.tried;
      expect(await outcomeOf(doubtful.run(countLasting, 'a', ['n'], ['x']))).toBe('lost');
      await doubtful.close();
    } finally {
      await cluster.stop();
    }
  });
});
