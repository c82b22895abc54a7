import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import type { RedisServer } from '../../support/redis.ts';
import { startCluster } from '../../support/redis-fleets.ts';
import type { Choices } from '../history/seeded.ts';
import { type Fault, lossesAt, type SharedRedis } from './fault.ts';

/** What docs/architecture.md, "Redis", tells an operator to set where there are replicas. */
const SETTINGS = { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '3' };
/** Long enough for a failover in most cases, and not in all. */
const AWAY_MAX_MS = 4_000;

/** Three primaries, with a replica each or without. */
export async function startClusterRedis(replicasEach: 0 | 1): Promise<SharedRedis> {
  const redis = await startCluster(replicasEach, replicasEach === 0 ? {} : { settings: SETTINGS });

  /** The slot that has what is known of a bucket. */
  const slotOf = async (bucket: string): Promise<number> => {
    for (const node of redis.nodes) {
      const [key] = (await node.cli('--scan', '--pattern', `*${bucket}*`)).split('\n');
      if (key) return Number(await node.cli('cluster', 'keyslot', key));
    }
    return 0;
  };
  const primaryOf = async (bucket: string): Promise<RedisServer> => redis.ownerOf(await slotOf(bucket));

  const isWhole = async (): Promise<void> => {
    for (const node of redis.nodes) {
      await eventually(
        'the cluster is whole',
        async () => {
          const table = await node.cli('cluster', 'nodes');
          const state = await node.cli('cluster', 'info');
          const isPrimary = (await node.info('role')) === 'master';
          const replicas = Number(await node.info(isPrimary ? 'min_slaves_good_slaves' : 'connected_slaves'));
          const linked = isPrimary ? replicas >= replicasEach : (await node.info('master_link_status')) === 'up';
          return { table, isWhole: linked && state.includes('cluster_state:ok') && !/fail|disconnected/.test(table) };
        },
        (answer) => answer.isWhole,
      );
    }
  };

  const move = async (slot: number, choices: Choices): Promise<void> => {
    const from = await redis.ownerOf(slot);
    const primaries: RedisServer[] = [];
    for (const node of redis.nodes) {
      if (node.port !== from.port && (await node.info('role')) === 'master') primaries.push(node);
    }
    await redis.move(slot, choices.pick(primaries));
  };

  const faults: readonly Fault[] = [
    ...lossesAt(primaryOf),
    {
      name: 'the primary of the bucket is killed and back',
      async happen(choices, bucket) {
        const primary = await primaryOf(bucket);
        await primary.kill();
        await sleep(choices.below(AWAY_MAX_MS));
        await primary.start();
        await isWhole();
      },
    },
    {
      name: 'the primary of the bucket stands still',
      async happen(choices, bucket) {
        const primary = await primaryOf(bucket);
        primary.pause();
        await sleep(choices.below(AWAY_MAX_MS));
        primary.resume();
        await isWhole();
      },
    },
    {
      name: 'the slot of the bucket moves to another primary',
      async happen(choices, bucket) {
        await move(await slotOf(bucket), choices);
        await isWhole();
      },
    },
    {
      name: 'the slot of the bucket moves to another primary and back at once',
      async happen(choices, bucket) {
        const slot = await slotOf(bucket);
        const from = await redis.ownerOf(slot);
        await move(slot, choices);
        await sleep(choices.below(500));
        await redis.move(slot, from);
        await isWhole();
      },
    },
  ];

  return { servers: redis.nodes, urlForGateway: async () => redis.url, faults, stop: redis.stop };
}
