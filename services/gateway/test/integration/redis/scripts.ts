// Scripts whose effects can be counted, and what the tests of Redis have in common.
import { openRedis, type Redis } from '../../../src/cache/redis.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import { CacheLost, type Script } from '../../../src/cache/script.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { eventually } from '../../support/eventually.ts';

const silent = createLog('test', 'silent');

/** Counts each value that it is given, in a hash. */
const COUNT = `#!lua
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)`;
const COUNTS = `#!lua
return redis.call('HGETALL', KEYS[1])`;

export const countLasting: Script = { name: 'count', keys: 'lasting', answered: 'at-once', source: COUNT };
export const countOfEra: Script = { ...countLasting, keys: 'era' };
export const countReplicated: Script = { ...countLasting, answered: 'replicated' };
export const countsLasting: Script = { name: 'counts', keys: 'lasting', answered: 'at-once', source: COUNTS };
export const countsOfEra: Script = { ...countsLasting, keys: 'era' };

/** Longer than by default: a busy machine is no Redis that is lost. */
const PATIENT_MS = 2_000;

/** Connects, and waits until that has succeeded. */
export async function connected(url: string, deadlineMs = PATIENT_MS): Promise<Redis> {
  const redis = openRedis(parseRedisUrl(url), { log: silent, deadlineMs });
  await redis.tried;
  await untilUp(redis);
  return redis;
}

export async function untilUp(redis: Redis): Promise<void> {
  await eventually(
    'connected to Redis',
    () => redis.stats().state,
    (state) => state === 'up',
  );
}

/** How often each value was counted. */
export async function countsOf(redis: Redis, slot: string, script = countsLasting): Promise<Record<string, number>> {
  const flat = (await redis.run(script, slot, ['n'], [])) as (Buffer | number)[];
  const counts: Record<string, number> = {};
  for (let at = 0; at < flat.length; at += 2) counts[String(flat[at])] = Number(flat[at + 1]);
  return counts;
}

/** 'lost', or what the call gave. @throws what is no CacheLost */
export async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CacheLost) return 'lost';
    throw error;
  }
}
