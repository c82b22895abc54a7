import { createRedisBranchCache } from './cache/branches-redis.ts';
import { createMemoryBranchCache } from './cache/memory.ts';
import { openRedis, type Redis } from './cache/redis.ts';
import { createSeal } from './cache/seal.ts';
import { openUploads } from './cache/uploads-lmdb.ts';
import { createMemoryUploads } from './cache/uploads-memory.ts';
import { createRedisUploads } from './cache/uploads-redis.ts';
import type { Config } from './config.ts';
import { type Edge, type EdgeStats, listen } from './edge/listen.ts';
import type { WorkerLoad } from './messages.ts';
import { createPachd, type Pachd } from './pachd/client.ts';
import { openPool, type Pool } from './pachd/pool.ts';
import { createBuckets } from './pfs/buckets.ts';
import { createCommits } from './pfs/commits.ts';
import { readDelta, writeDelta } from './pfs/delta-text.ts';
import { createDisposal } from './pfs/disposal.ts';
import type { Domain } from './pfs/domain.ts';
import { createFiles, type Files, SMALL_MAX_BYTES } from './pfs/files.ts';
import { createIdentity } from './pfs/identity.ts';
import { createLineage, type Lineage } from './pfs/lineage.ts';
import { createLists, type Lists } from './pfs/list.ts';
import { createNames, type Names } from './pfs/names.ts';
import type { Delta } from './pfs/overlay.ts';
import { createAhead } from './pfs/read/ahead.ts';
import { createBlocks } from './pfs/read/blocks.ts';
import { createReadBytes } from './pfs/read/bytes.ts';
import { createContents } from './pfs/read/contents.ts';
import { createFetch } from './pfs/read/fetch.ts';
import { createOpened } from './pfs/read/opened.ts';
import { createRanges } from './pfs/read/ranges.ts';
import { createReadRun } from './pfs/read/runs.ts';
import { createSets, type Sets } from './pfs/read/sets.ts';
import { createSlots } from './pfs/read/slots.ts';
import { createResolver } from './pfs/resolve.ts';
import { createSettings } from './pfs/settings.ts';
import { createSharedFacts, type SharedFacts } from './pfs/shared-facts.ts';
import { type Branches, createStates } from './pfs/state.ts';
import { createUploads } from './pfs/uploads.ts';
import { createBudget } from './pfs/write/budget.ts';
import { createCommitter } from './pfs/write/commit.ts';
import { createJudge } from './pfs/write/judge.ts';
import { createOpenChanges } from './pfs/write/open-changes.ts';
import { createPutBack } from './pfs/write/put-back.ts';
import { createRounds } from './pfs/write/rounds.ts';
import { createStage } from './pfs/write/stage.ts';
import { createWatch } from './pfs/write/watch.ts';
import { createCors } from './s3/cors.ts';
import { createHandle } from './s3/handle.ts';
import { createAccessLog } from './telemetry/access-log.ts';
import { createFaults, type Fault } from './telemetry/faults.ts';
import type { Log } from './telemetry/log.ts';
import { watchLoopDelay } from './telemetry/loop-delay.ts';
import { readFrom } from './telemetry/metrics.ts';
import { createRequestMetrics } from './telemetry/request-metrics.ts';
import { readingsOf } from './worker-metrics.ts';

/** Requests of a worker that may be under way at once; more are told to slow down. */
const REQUESTS_MAX = 1_024;

/** Longer than a load balancer takes to see that a gateway is not ready any more (infra/haproxy). */
const DRAIN_NOTICE_MS = 3_000;

export interface Worker {
  readonly pool: Pool;
  /** How much of what is bounded is in use. */
  load(): WorkerLoad;
  /** The last requests that went wrong on this side. */
  faults(): readonly Fault[];
  /** Lets what is under way end, for as long as the settings allow. */
  stop(): Promise<void>;
}

/**
 * Builds every part of one worker and wires them: the only place that knows all of them.
 * @param uploadsDir where unfinished uploads outlive the worker; undefined: nowhere
 * @throws Error with one line that says why it cannot start
 */
export async function startWorker(config: Config, log: Log, uploadsDir: string | undefined): Promise<Worker> {
  const pool = openPool(config.pachd);
  const pachd = createPachd(pool);
  const redis = config.redisUrl === undefined ? undefined : openRedis(config.redisUrl, { log });
  const branches = openBranches(config, redis);
  const uploads = openRegistry(config, redis, uploadsDir);
  const commits = createCommits(pachd, config.headTtlMs);
  const lineage = createLineage();
  const states = createStates(commits, createResolver(pachd, commits), branches, lineage, config.headTtlMs);
  const facts = createSharedFacts(redis, config.cacheSecret, log);
  const identity = createIdentity(pachd, facts, config.cacheSecret, config.authTtlMs);
  const { sets, names, files, lists } = createReading(config, pachd, lineage, facts);
  const budget = createBudget(config.bufferBytes);
  const disposal = createDisposal(pachd);
  const openChanges = createOpenChanges(pachd, states);
  const watch = createWatch(states, branches, sets, config.writePending);
  const stage = createStage(pachd, budget);
  const rounds = createRounds(
    {
      pachd,
      branches,
      states,
      files,
      judge: createJudge(files, lists, names, openChanges),
      committer: createCommitter(pachd),
      putBack: createPutBack(pachd),
      watch,
      openChanges,
      disposal,
      acknowledge: config.writeBatch ? 'durable' : 'finished',
    },
    { most: config.writeBatch ? Number.POSITIVE_INFINITY : 1, gatherMs: config.writeGatherMs },
  );
  const domain: Domain = {
    identity,
    states,
    lists,
    stage,
    rounds,
    buckets: createBuckets(pachd, identity, states, lists),
    files,
    settings: createSettings(pachd),
    uploads: createUploads(uploads, pachd, stage, rounds, disposal, config.uploadMaxAgeHours),
  };
  const faults = createFaults();
  let edge: Edge | undefined;
  const handle = createHandle({
    domain,
    observers: [
      createAccessLog(log, { enabled: config.accessLog, sample: config.logSample }),
      createRequestMetrics(config.metricsBuckets),
      faults.observe,
    ],
    domains: config.domains,
    scheme: config.tls === undefined ? 'http' : 'https',
    cors: createCors(config.corsOrigins),
    region: config.region,
    isOverloaded: () => edge !== undefined && isOverloaded(edge.stats(), config.bufferBytes),
  });
  // Without Redis it goes on as well, but the first requests need not find that out.
  await redis?.tried;
  const listening = await listen({
    ...config.listen,
    ...(config.tls === undefined ? {} : { tls: config.tls }),
    exclusive: config.workers === 1,
    handle,
    onFault: (fault) => log.warn({ cause: fault }, 'a request ended badly'),
  });
  edge = listening;
  const worker: Worker = {
    pool,
    faults: faults.last,
    load() {
      const { inFlight, sockets, bufferedBytes } = listening.stats();
      return {
        requestsInFlight: inFlight,
        sockets,
        bufferedBytes,
        bodyBytes: budget.usedBytes(),
        unfinishedCommits: watch.unfinished(),
        oldestUnfinishedMs: watch.oldestMs(),
        redis: redis?.stats(),
      };
    },
    async stop() {
      // A worker of a fleet goes on until the load balancer has seen that it is not ready.
      await listening.drain(config.drainMs, redis === undefined ? 0 : DRAIN_NOTICE_MS);
      await uploads.close();
      await redis?.close();
      pool.close();
    },
  };
  readFrom(() => readingsOf(worker.load(), pool));
  watchLoopDelay();
  return worker;
}

/** How commits are read. */
function createReading(
  { contentCacheBytes, readBatch }: Config,
  pachd: Pachd,
  lineage: Lineage,
  facts: SharedFacts,
): { readonly sets: Sets; readonly names: Names; readonly files: Files; readonly lists: Lists } {
  const sets = createSets(pachd, facts.sets);
  const slots = createSlots();
  const names = createNames({ pachd, sets, lineage, shared: facts.names });
  const contents = createContents(facts.contents, contentCacheBytes);
  const readRun = createReadRun({ pachd, sets, slots, names, contents }, SMALL_MAX_BYTES);
  // What is read before it is wanted must be kept until it is.
  const ahead =
    readBatch && contentCacheBytes > 0
      ? createAhead({ pachd, sets, names, blocks: createBlocks(SMALL_MAX_BYTES), readRun })
      : undefined;
  const fetch = createFetch(readRun, names, ahead);
  const readBytes = createReadBytes(pachd, sets, slots);
  const ranges = createRanges(readBytes, contents);
  const opened = createOpened({ pachd, slots }, SMALL_MAX_BYTES);
  const files = createFiles({ pachd, names, contents, fetch, readBytes, ranges, opened, ahead });
  return { sets, names, files, lists: createLists({ pachd, sets, names, files, ahead }) };
}

/** Unfinished uploads outlive a worker in Redis or in a folder. */
function openRegistry({ cacheSecret, workers }: Config, redis: Redis | undefined, uploadsDir: string | undefined) {
  if (redis !== undefined) return createRedisUploads(redis, cacheSecret);
  return uploadsDir === undefined ? createMemoryUploads() : openUploads(uploadsDir, workers === 1);
}

/** What a fleet shares about branches; a worker that is alone has it in its memory. */
function openBranches({ cacheSecret, headTtlMs }: Config, redis: Redis | undefined): Branches {
  if (redis === undefined) return createMemoryBranchCache(headTtlMs);
  const seal = createSeal(cacheSecret, 'deltas');
  const codec = {
    encode: (delta: Delta, place: string) => seal.seal(writeDelta(delta), place),
    decode(bytes: Uint8Array, place: string) {
      const opened = seal.open(bytes, place);
      return opened && readDelta(opened);
    },
  };
  return createRedisBranchCache(redis, codec, headTtlMs);
}

/** Sockets hold what came of a body until somebody reads it, so they count against the same bound as the bodies that are read. */
function isOverloaded({ inFlight, bufferedBytes }: EdgeStats, bufferMaxBytes: number): boolean {
  return inFlight > REQUESTS_MAX || bufferedBytes > bufferMaxBytes;
}
