import { createBusiest } from './busiest.ts';
import { createRegistry, type Family, type Series, type Snapshot } from './registry.ts';

/**
 * Every metric of a gateway. What a worker counts itself is counted by these functions; what other parts know is read from them
 * (worker-metrics.ts). No bucket and no key is a label, but for the busiest buckets where they are asked for.
 */

const registry = createRegistry();
const { counter, histogram } = registry;

/** The bounds of every duration's buckets. */
export const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const WRITES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

export const requests = counter(
  'tusk_requests_total',
  'Requests that were answered, by S3 operation, HTTP status and S3 error code (OK where there is none).',
  ['operation', 'status', 'code'],
);
export const requestFaults = counter(
  'tusk_request_faults_total',
  'Of these, those that went wrong on this side: 5xx but 501, and answers that broke off.',
  ['operation'],
);
export const requestSeconds = histogram(
  'tusk_request_duration_seconds',
  'From the head of a request to the last byte of its answer: as long as its client takes.',
  SECONDS,
  ['operation'],
);
export const answerSeconds = histogram(
  'tusk_request_answer_seconds',
  'From the head of a request to the head of its answer: what the gateway and those behind it take.',
  SECONDS,
  ['operation'],
);
export const requestBytes = counter('tusk_request_bytes_total', 'Bytes of bodies: in, as announced; out, as taken.', [
  'direction',
]);

const cacheRequests = counter(
  'tusk_cache_requests_total',
  'What caches were asked for, by kind, and whether they had it. `fleet` kinds are what the workers share.',
  ['cache', 'outcome'],
);
const cacheRefusals = counter(
  'tusk_cache_refusals_total',
  'What a cache did not take: what was too old to be kept, or has no room.',
  ['cache'],
);

/** Counts what one cache is asked, and what it does not take. */
export function countCache(cache: string) {
  const [hits, misses, refusals] = [cacheRequests(cache, 'hit'), cacheRequests(cache, 'miss'), cacheRefusals(cache)];
  return {
    asked: (found: boolean) => (found ? hits : misses).add(),
    refused: () => refusals.add(),
  };
}

export const roundWrites = histogram('tusk_round_writes', 'Requests that went into one commit.', WRITES);
export const roundSeconds = histogram(
  'tusk_round_seconds',
  'From the beginning of a round to when the next one may begin.',
  SECONDS,
);
export const acknowledgeSeconds = histogram(
  'tusk_write_acknowledge_seconds',
  'From when a write is ready to be committed to when it is answered; it waits for its round and makes it.',
  SECONDS,
);
export const finishSeconds = histogram(
  'tusk_commit_finish_seconds',
  'From when a commit was made to when pachd has finished it, which is when others than tusk see it.',
  SECONDS,
);
export const commits = counter(
  'tusk_commits_total',
  'Commits that were acknowledged, by what became of them: finished, failed, unknown.',
  ['outcome'],
);

export const callSeconds = histogram(
  'tusk_pachd_call_seconds',
  'Calls of pachd, each try by itself, by method. Streams: to their end, as fast as they are read. `InspectCommit finished` waits for that.',
  SECONDS,
  ['method'],
);
export const callErrors = counter('tusk_pachd_call_errors_total', 'Calls of pachd that failed, each try by itself.', [
  'method',
  'kind',
]);

export const scriptSeconds = histogram(
  'tusk_redis_script_seconds',
  'From when a script of Redis is asked for to its answer; a worker sends together what one turn of its event loop asks for.',
  SECONDS,
  ['script'],
);

export const loopDelaySeconds = histogram(
  'tusk_event_loop_delay_seconds',
  'How late a worker comes to what is due, looked at every 100 ms.',
  [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
);

/** The buckets that most is asked of; none where nobody wants to know. */
export const busiest = createBusiest();

/** What is read from other parts, by name; worker-metrics.ts says where from. */
const READ = {
  requestsInFlight: gauge('tusk_requests_in_flight', 'Requests without a complete answer.'),
  sockets: gauge('tusk_sockets', 'Connections of clients.'),
  bufferedBytes: gauge(
    'tusk_socket_buffered_bytes',
    'Bytes of bodies that nobody has read, and of answers that wait for their client.',
  ),
  bodyBytes: gauge('tusk_body_bytes', 'Bytes of bodies that wait for their commit: what TUSK_BUFFER_BYTES bounds.'),
  unfinishedCommits: gauge('tusk_commits_unfinished', 'Commits that are acknowledged and not finished.'),
  oldestUnfinishedSeconds: gauge(
    'tusk_commits_unfinished_oldest_seconds',
    'How long the oldest of these has been unfinished.',
    [],
    'max',
  ),
  memberState: gauge('tusk_pachd_workers', 'Workers that see a pachd as serving, ejected or draining.', [
    'pachd',
    'state',
  ]),
  memberInFlight: gauge('tusk_pachd_in_flight', 'Calls under way at a pachd.', ['pachd']),
  memberCalls: total('tusk_pachd_calls_total', 'Calls that were sent to a pachd, retries and hedges too.', ['pachd']),
  memberFailures: total('tusk_pachd_failures_total', 'Calls at which a pachd could not be reached.', ['pachd']),
  memberRetries: total('tusk_pachd_retries_total', 'Calls sent there since another pachd had failed them.', ['pachd']),
  memberHedges: total('tusk_pachd_hedges_total', 'Calls sent there since another pachd was slow.', ['pachd']),
  memberEjections: total('tusk_pachd_ejections_total', 'How often a worker took a pachd out.', ['pachd']),
  retryBudget: gauge('tusk_pachd_retry_budget', 'Calls that may be sent once more now, all workers together.'),
  redisUp: gauge('tusk_redis_workers', 'Workers by their connections to Redis: up, partly, down.', ['state']),
  redisScripts: total('tusk_redis_scripts_total', 'Scripts that were sent to Redis.'),
  redisWrites: total('tusk_redis_writes_total', 'How often something was written to a connection for them.'),
  redisLost: total('tusk_redis_lost_total', 'Scripts without an answer, or refused: the worker went on without.'),
  redisReconnects: total('tusk_redis_reconnects_total', 'Connections to Redis that took the place of a lost one.'),
  cpuSeconds: total('tusk_cpu_seconds_total', 'Processor time of the workers.'),
  residentBytes: gauge('tusk_resident_bytes', 'Memory of the workers.'),
  workers: gauge('tusk_workers', 'Workers that serve.'),
  bucketRequests: total(
    'tusk_bucket_requests_total',
    'Requests that were answered well: of the busiest buckets, as many of each worker as TUSK_METRICS_BUCKETS says, and of all others.',
    ['bucket'],
  ),
  bucketBytes: total('tusk_bucket_bytes_total', 'Bytes of these requests and of their answers.', ['bucket']),
} as const;

export type Readings = { readonly [Name in keyof typeof READ]: readonly Series[] };

/** What the workers cannot tell themselves. */
export const WORKER_ENDS = total('tusk_worker_ends_total', 'Workers that ended though nobody told them to.');

let reader: (() => Readings) | undefined;

/** Says where the other parts' figures are to be read. */
export function readFrom(given: () => Readings): void {
  reader = given;
}

/** All metrics there are: those that are counted, and those that are read. */
export const FAMILIES: readonly Family[] = [...registry.families(), ...Object.values(READ), WORKER_ENDS];

export function snapshot(): Snapshot {
  const readings = Object.entries(reader?.() ?? {});
  const read = readings.map(([name, series]) => [READ[name as keyof Readings].name, series] as const);
  return { ...registry.snapshot(), ...Object.fromEntries(read) };
}

function gauge(name: string, help: string, labels: readonly string[] = [], over: 'sum' | 'max' = 'sum'): Family {
  return { kind: 'gauge', name, help, labels, over };
}

function total(name: string, help: string, labels: readonly string[] = []): Family {
  return { kind: 'counter', name, help, labels };
}
