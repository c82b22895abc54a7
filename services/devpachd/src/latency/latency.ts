import { LRUCache } from 'lru-cache';
import { type Cost, newCost } from './cost.ts';
import { BUSY_FACTOR, callMs, type Finishing, finishMs, holdOf, isRead, sharedReadMs } from './model.ts';

/** How long things take at least. What devpachd itself needs is part of it, and usually much less. */
export interface Latency {
  readonly begin: (method: string) => Meter;
  /** Milliseconds from a commit's turn to its being FINISHED. */
  readonly finishMs: (work: Finishing) => number;
  /** Says how many repos have commits finishing. */
  readonly setBusy: (repos: number) => void;
}

/** One call. */
export interface Meter {
  readonly cost: Cost;
  /** Whether what was read as `what` has been read before. */
  readonly sawBefore: (what: string) => boolean;
  /** Waits until the call, with what it has done so far, has taken its time but for `leftMs`; or `signal` aborts. */
  readonly pace: (signal?: AbortSignal, leftMs?: number) => Promise<void>;
  /** The call is over: makes room for others. */
  readonly end: () => void;
}

const CONTENT_READS: ReadonlySet<string> = new Set(['pfs_v2.API/GetFile', 'pfs_v2.API/GetFileTAR']);
const SEEN_MAX = 10_000;
/** The times were taken by a client: so much of them a call spends on its way, and in timers. */
const ON_THE_WAY_MS = 1;

/** As fast as it goes; only finishing takes so long, so that there are commits that are not finished. */
export function finishingIn(ms: number): Latency {
  const nothing = Promise.resolve();
  return {
    begin: () => ({ cost: newCost(), sawBefore: () => false, pace: () => nothing, end: () => undefined }),
    finishMs: () => ms,
    setBusy: () => undefined,
  };
}

/** As a real pachd on two cores. */
export function createRealLatency(): Latency {
  const seen = new LRUCache<string, true>({ max: SEEN_MAX });
  /** When the last one of a lane is through. */
  const freeAt = new Map<string, number>();
  const inside = new Map<string, number>();
  let busyRepos = 0;
  /** Calls that are reading content, and when what they have read so far is through, if there are several. */
  let readers = 0;
  let readThroughAt = 0;

  const enter = (lane: string, by: number) => {
    const count = (inside.get(lane) ?? 0) + by;
    if (count > 0) inside.set(lane, count);
    else inside.delete(lane);
  };

  return {
    finishMs,
    setBusy: (repos) => {
      busyRepos = repos;
    },
    begin: (method) => {
      const startedAt = performance.now();
      const cost = newCost();
      const isSlowed = busyRepos > 0 && isRead(method);
      let lanes: readonly string[] | undefined;
      let waitMs = 0;
      const takeLane = () => {
        const hold = holdOf(method, cost, (lane) => inside.get(lane) ?? 0);
        lanes = hold ? [hold.lane, ...(cost.branch === '' ? [] : [cost.branch])] : [];
        if (!hold) return;
        for (const lane of lanes) enter(lane, 1);
        const from = Math.max(startedAt, freeAt.get(hold.lane) ?? 0);
        freeAt.set(hold.lane, from + hold.ms);
        waitMs = from - startedAt + Math.max(0, hold.ms - callMs(method, cost));
      };
      let readBytes = 0;
      /** Milliseconds from the start until what was read is through the machine, beside what others read. */
      const readThrough = (): number => {
        if (!CONTENT_READS.has(method) || cost.readBytes <= readBytes) return 0;
        if (readBytes === 0) readers++;
        const fresh = cost.readBytes - readBytes;
        readBytes = cost.readBytes;
        if (readers < 2) return 0;
        readThroughAt = Math.max(readThroughAt, performance.now()) + sharedReadMs(cost.source, fresh);
        return readThroughAt - startedAt;
      };
      return {
        cost,
        sawBefore: (what) => {
          const known = seen.has(what);
          seen.set(what, true);
          return known;
        },
        pace: (signal, leftMs = ON_THE_WAY_MS) => {
          if (!lanes) takeLane();
          const ownMs = waitMs + callMs(method, cost) * (isSlowed ? BUSY_FACTOR : 1);
          return waitOut(startedAt, Math.max(ownMs, readThrough()) - leftMs, signal);
        },
        end: () => {
          if (readBytes > 0) readers--;
          for (const lane of lanes ?? []) enter(lane, -1);
        },
      };
    },
  };
}

/** Waits until `ms` have passed since `startedAt` (milliseconds, `performance.now`), or `signal` aborts. */
export function waitOut(startedAt: number, ms: number, signal?: AbortSignal): Promise<void> {
  const left = ms - (performance.now() - startedAt);
  if (left <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, left);
    signal?.addEventListener('abort', done);
  });
}
