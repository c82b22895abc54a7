import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Devpachd, startDevpachd } from '../../support/devpachd.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import type { SharedRedis } from './fault.ts';
import { startClusterRedis } from './redis-cluster.ts';
import { startSentinelRedis } from './redis-sentinel.ts';
import { startSingleRedis } from './redis-single.ts';

/** Which Redis a fleet may have, by name. */
export const REDISES = {
  single: startSingleRedis,
  sentinel: startSentinelRedis,
  cluster: () => startClusterRedis(0),
  'cluster-with-replicas': () => startClusterRedis(1),
} as const;

/** One gateway of a fleet, with what can be done to it. */
export interface Member {
  readonly url: string;
  readonly tusk: Tusk;
  /** Its worker processes. */
  workers(): readonly number[];
}

/** Gateways that share a Redis, in front of a pool of pachd with one store. */
export interface Fleet {
  readonly members: readonly Member[];
  readonly urls: readonly string[];
  readonly redis: SharedRedis;
  readonly headTtlMs: number;
  /** The pachds, by their place: another may stand there by now. */
  readonly pachds: readonly Devpachd[];
  /** Kills a pachd and starts it anew at its address. */
  restartPachd(place: number): Promise<void>;
  stop(): Promise<void>;
}

export interface FleetOptions {
  /** A single server without it. */
  readonly redis?: keyof typeof REDISES;
  readonly gateways: number;
  readonly pachds: number;
  /** Commits take at least so long to finish. */
  readonly finishMs: number;
  readonly headTtlMs: number;
  /** Whether who asks must be somebody; root's token is `iamroot`. */
  readonly auth?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** How long what each pachd says of a branch is on its way, so that others write meanwhile; no longer than usual without it. */
  readonly lookDelaysMs?: readonly number[];
  /** How long a ModifyFile waits at pachd before it is done. */
  readonly modifyDelayMs?: number;
  /** A build of tusk to run instead of this one. */
  readonly root?: string;
}

export async function startFleet({
  redis: redisKind = 'single',
  gateways,
  pachds,
  finishMs,
  headTtlMs,
  auth = false,
  env = {},
  lookDelaysMs,
  modifyDelayMs,
  root,
}: FleetOptions): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'tusk-fleet-'));
  const dataDir = join(folder, 'pachd');
  const redis = await REDISES[redisKind]();
  const running: Devpachd[] = [];
  const startPachd = (place: number, listen?: string) => {
    const delayMs = lookDelaysMs?.[place];
    const faults = delayMs === undefined ? [] : [`InspectBranch after delay ${delayMs}`];
    if (modifyDelayMs !== undefined) faults.push(`ModifyFile before delay ${modifyDelayMs}`);
    return startDevpachd({ dataDir, finishMs, faults, auth, ...(listen === undefined ? {} : { listen }) });
  };
  for (let place = 0; place < pachds; place++) running.push(await startPachd(place));
  const addresses = running.map(({ address }) => address);
  const pachd = addresses.join(',grpc://');

  const startMember = async (redisUrl: string): Promise<Member> => {
    const tusk = await startTusk({
      pachd,
      ...(root === undefined ? {} : { root }),
      env: {
        TUSK_REDIS_URL: redisUrl,
        TUSK_CACHE_SECRET: 'a secret of the whole fleet',
        TUSK_HEAD_TTL_MS: String(headTtlMs),
        TUSK_ACCESS_LOG: 'off',
        ...env,
      },
    });
    const workers = () =>
      tusk.program.alive().flatMap(({ pid, command }) => (command.includes('worker-process') ? [pid] : []));
    return { url: tusk.url, tusk, workers };
  };
  const redisUrls: string[] = [];
  while (redisUrls.length < gateways) redisUrls.push(await redis.urlForGateway());
  const members = await Promise.all(redisUrls.map(startMember));

  return {
    members,
    urls: members.map(({ url }) => url),
    redis,
    headTtlMs,
    pachds: running,
    async restartPachd(place) {
      await running[place]!.program.stop('SIGKILL');
      running[place] = await startPachd(place, addresses[place]!);
    },
    async stop() {
      await Promise.all(members.map(({ tusk }) => tusk.stop()));
      for (const one of running) await one.stop();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
