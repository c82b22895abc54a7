import { SECONDS } from '../telemetry/metrics.ts';
import { quantile } from '../telemetry/quantile.ts';
import type { Series, Snapshot } from '../telemetry/registry.ts';

/** How often a gateway looks at what it counts, and how many looks are kept: ten minutes of them. */
export const LOOK_EVERY_MS = 5_000;
const KEPT = 120;
export const SPAN_MS = KEPT * LOOK_EVERY_MS;

/** Those that are asked most. */
const READS = new Set(['GetObject', 'HeadObject']);
const WRITES = new Set(['PutObject', 'UploadPart', 'CopyObject', 'DeleteObject', 'DeleteObjects']);

/** What went on between one look and the next. */
export interface Moment {
  readonly atMs: number;
  readonly requestsPerSecond: number;
  /** Those that went wrong on this side. */
  readonly faultsPerSecond: number;
  readonly reads: Latency;
  readonly writes: Latency;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly inFlight: number;
  readonly unfinishedCommits: number;
}

/** To the head of the answer; undefined: nothing was asked. */
interface Latency {
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export interface History {
  note(snapshot: Snapshot, atMs: number): void;
  /** Oldest first. */
  moments(): readonly Moment[];
}

interface Look {
  readonly atMs: number;
  readonly requests: number;
  readonly faults: number;
  /** By bucket of their duration. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function createHistory(): History {
  const moments: Moment[] = [];
  let before: Look | undefined;
  return {
    note(snapshot, atMs) {
      const now = lookAt(snapshot, atMs);
      if (before !== undefined && atMs > before.atMs) {
        moments.push(momentBetween(before, now, snapshot));
        if (moments.length > KEPT) moments.shift();
      }
      before = now;
    },
    moments: () => moments,
  };
}

function lookAt(snapshot: Snapshot, atMs: number): Look {
  const answers = snapshot['tusk_request_answer_seconds'] ?? [];
  const bytes = snapshot['tusk_request_bytes_total'] ?? [];
  return {
    atMs,
    requests: sum(snapshot['tusk_requests_total'] ?? []),
    faults: sum(snapshot['tusk_request_faults_total'] ?? []),
    reads: countsOf(answers, READS),
    writes: countsOf(answers, WRITES),
    bytesIn: sum(bytes.filter(({ labels }) => labels[0] === 'in')),
    bytesOut: sum(bytes.filter(({ labels }) => labels[0] === 'out')),
  };
}

function momentBetween(before: Look, now: Look, snapshot: Snapshot): Moment {
  const seconds = (now.atMs - before.atMs) / 1_000;
  const rate = (what: 'requests' | 'faults' | 'bytesIn' | 'bytesOut') => (now[what] - before[what]) / seconds;
  return {
    atMs: now.atMs,
    requestsPerSecond: rate('requests'),
    faultsPerSecond: rate('faults'),
    reads: latencyBetween(before.reads, now.reads),
    writes: latencyBetween(before.writes, now.writes),
    bytesInPerSecond: rate('bytesIn'),
    bytesOutPerSecond: rate('bytesOut'),
    inFlight: sum(snapshot['tusk_requests_in_flight'] ?? []),
    unfinishedCommits: sum(snapshot['tusk_commits_unfinished'] ?? []),
  };
}

function latencyBetween(before: readonly number[], now: readonly number[]): Latency {
  const counts = now.map((count, at) => count - (before[at] ?? 0));
  const p50 = quantile({ counts }, SECONDS, 0.5);
  const p99 = quantile({ counts }, SECONDS, 0.99);
  return { p50Ms: p50 && p50 * 1_000, p99Ms: p99 && p99 * 1_000 };
}

function sum(series: readonly Series[]): number {
  return series.reduce((total, { value }) => total + (typeof value === 'number' ? value : 0), 0);
}

/** The buckets of some operations together. */
function countsOf(series: readonly Series[], operations: ReadonlySet<string>): readonly number[] {
  const counts = new Array<number>(SECONDS.length + 1).fill(0);
  for (const { labels, value } of series) {
    if (typeof value === 'number' || !operations.has(labels[0] ?? '')) continue;
    for (const [at, count] of value.counts.entries()) counts[at] = (counts[at] ?? 0) + count;
  }
  return counts;
}
