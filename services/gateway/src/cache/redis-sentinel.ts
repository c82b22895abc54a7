import { Redis, type RedisOptions } from 'ioredis';
import type { SentinelRedis } from './redis-url.ts';

const CHANNEL = '+switch-master';
/** How soon a Sentinel that is away is tried again; the others tell the same. */
const RETRY_MS = 10_000;

/**
 * Listens to the Sentinels (Redis Sentinel, "Pub/Sub messages"). The library's own listener leaves the primary also when another one's
 * replica was promoted, and writes to stderr when a Sentinel is away.
 * @param onSwitch another server is the primary now
 * @returns what ends it
 */
export function watchFailovers(target: SentinelRedis, tls: RedisOptions['tls'], onSwitch: () => void): () => void {
  const clients = target.sentinels.map((address) => {
    const client = new Redis({
      ...address,
      ...sentinelAccess(target),
      ...(tls === undefined ? {} : { tls }),
      protocol: 2,
      replyMapping: 'legacy',
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: null,
      retryStrategy: () => RETRY_MS,
    });
    client.on('error', () => {});
    client.on('message', (_, text) => {
      if (text.split(' ', 1)[0] === target.name) onSwitch();
    });
    // It waits until the Sentinel is there, and fails when this ends before.
    client.subscribe(CHANNEL).catch(() => {});
    return client;
  });
  return () => {
    for (const client of clients) client.disconnect();
  };
}

function sentinelAccess({ sentinelUser, sentinelPassword }: SentinelRedis): RedisOptions {
  return {
    ...(sentinelUser === undefined ? {} : { username: sentinelUser }),
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
  };
}
