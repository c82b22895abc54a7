import type { WorkerLoad } from './messages.ts';
import type { MemberStatus } from './pachd/member.ts';
import type { Pool } from './pachd/pool.ts';
import type { Readings } from './telemetry/metrics.ts';
import { busiest } from './telemetry/metrics.ts';
import type { Series } from './telemetry/registry.ts';

/** A worker's figures that its parts keep anyway, as metrics. */
export function readingsOf(now: WorkerLoad, pool: Pool): Readings {
  const members = pool.status();
  const byMember = (value: (member: MemberStatus) => number): readonly Series[] =>
    sumBy(members.map((member) => ({ labels: [member.address], value: value(member) })));
  const { redis } = now;
  const { user, system } = process.cpuUsage();
  return {
    requestsInFlight: one(now.requestsInFlight),
    sockets: one(now.sockets),
    bufferedBytes: one(now.bufferedBytes),
    bodyBytes: one(now.bodyBytes),
    unfinishedCommits: one(now.unfinishedCommits),
    oldestUnfinishedSeconds: one(now.oldestUnfinishedMs / 1_000),
    memberState: sumBy(
      members.flatMap(({ address, state }) =>
        STATES.map((label) => ({ labels: [address, label], value: state === label ? 1 : 0 })),
      ),
    ),
    memberInFlight: byMember(({ inFlight }) => inFlight),
    memberCalls: byMember(({ calls }) => calls),
    memberFailures: byMember(({ failures }) => failures),
    memberRetries: byMember(({ retries }) => retries),
    memberHedges: byMember(({ hedges }) => hedges),
    memberEjections: byMember(({ ejections }) => ejections),
    retryBudget: one(pool.retryBudget()),
    redisUp:
      redis === undefined
        ? []
        : REDIS_STATES.map((state) => ({ labels: [state], value: redis.state === state ? 1 : 0 })),
    redisScripts: redis === undefined ? [] : one(redis.scripts),
    redisWrites: redis === undefined ? [] : one(redis.writes),
    redisLost: redis === undefined ? [] : one(redis.lost),
    redisReconnects: redis === undefined ? [] : one(redis.reconnects),
    cpuSeconds: one((user + system) / 1_000_000),
    residentBytes: one(process.memoryUsage.rss()),
    workers: one(1),
    bucketRequests: busiest.series('requests'),
    bucketBytes: busiest.series('bytes'),
  };
}

const STATES: readonly MemberStatus['state'][] = ['serving', 'ejected', 'draining'];
const REDIS_STATES = ['up', 'partly', 'down'] as const;

function one(value: number): readonly Series[] {
  return [{ labels: [], value }];
}

/** An address may be there twice: one that is new, and one that has gone and still has calls to end. */
function sumBy(series: readonly { readonly labels: readonly string[]; readonly value: number }[]): readonly Series[] {
  const sums = new Map<string, { readonly labels: readonly string[]; value: number }>();
  for (const { labels, value } of series) {
    const key = labels.join('\n');
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { labels, value });
    else known.value += value;
  }
  return [...sums.values()];
}
