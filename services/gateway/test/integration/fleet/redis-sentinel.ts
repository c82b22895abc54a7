import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { startSentinel } from '../../support/redis-fleets.ts';
import { type Fault, lossesAt, type SharedRedis } from './fault.ts';

/** What docs/architecture.md, "Redis", tells an operator to set. */
const DOWN_AFTER_MS = 10_000;
const SETTINGS = { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '3' };
/** Long enough for a failover in most cases, and not in all. */
const AWAY_MAX_MS = DOWN_AFTER_MS + 6_000;

/** A primary and a replica, watched by three Sentinels. */
export async function startSentinelRedis(): Promise<SharedRedis> {
  const redis = await startSentinel(1, 3, { downAfterMs: DOWN_AFTER_MS, settings: SETTINGS });
  const { primaryNow } = redis;
  const servers = [redis.primary, ...redis.replicas];

  const isWhole = () =>
    eventually(
      'the primary has its replica',
      async () => {
        const primary = await primaryNow();
        return [await primary.info('role'), await primary.info('min_slaves_good_slaves')].join();
      },
      (answer) => answer === 'master,1',
    );

  const faults: readonly Fault[] = [
    ...lossesAt(primaryNow),
    {
      name: 'the Sentinels are told to promote the replica',
      async happen() {
        await redis.failOver();
        await isWhole();
      },
    },
    {
      name: 'the primary is killed, and back before or after its replica was promoted',
      async happen(choices) {
        const primary = await primaryNow();
        await primary.kill();
        await sleep(choices.below(AWAY_MAX_MS));
        await primary.start();
        await isWhole();
      },
    },
    {
      name: 'the primary stands still until before or after its replica was promoted',
      async happen(choices) {
        const primary = await primaryNow();
        primary.pause();
        await sleep(choices.below(AWAY_MAX_MS));
        primary.resume();
        await isWhole();
      },
    },
    {
      name: 'the replica stands still',
      async happen(choices) {
        const { port } = await primaryNow();
        const replica = servers.find((server) => server.port !== port);
        replica?.pause();
        await sleep(choices.below(6_000));
        replica?.resume();
        await isWhole();
      },
    },
  ];

  return { servers, urlForGateway: async () => redis.url, faults, stop: redis.stop };
}
