import { SECONDS } from '../telemetry/metrics.ts';
import { quantile } from '../telemetry/quantile.ts';
import type { Series, Snapshot } from '../telemetry/registry.ts';

/** How often a gateway looks at what it counts, and how many looks are kept: ten minutes of them. */
export const LOOK_EVERY_MS = 5_000;
const KEPT = 120;
export const SPAN_MS = KEPT * LOOK_EVERY_MS;

/** What went on between one look and the next. */
export interface Moment {
  readonly atMs: number;
  readonly requestsPerSecond: number;
  /** Those that went wrong on this side. */
  readonly faultsPerSecond: number;
  /** To the head of the answer; undefined: nothing was asked. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly inFlight: number;
  readonly unfinishedCommits: number;
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
  readonly answers: readonly number[];
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
  const bytes = snapshot['tusk_request_bytes_total'] ?? [];
  return {
    atMs,
    requests: sum(snapshot['tusk_requests_total'] ?? []),
    faults: sum(snapshot['tusk_request_faults_total'] ?? []),
    answers: countsOf(snapshot['tusk_request_answer_seconds'] ?? []),
    bytesIn: sum(bytes.filter(({ labels }) => labels[0] === 'in')),
    bytesOut: sum(bytes.filter(({ labels }) => labels[0] === 'out')),
  };
}

function momentBetween(before: Look, now: Look, snapshot: Snapshot): Moment {
  const seconds = (now.atMs - before.atMs) / 1_000;
  const counts = now.answers.map((count, at) => count - (before.answers[at] ?? 0));
  const rate = (what: 'requests' | 'faults' | 'bytesIn' | 'bytesOut') => (now[what] - before[what]) / seconds;
  return {
    atMs: now.atMs,
    requestsPerSecond: rate('requests'),
    faultsPerSecond: rate('faults'),
    p50Ms: inMs(quantile({ counts }, SECONDS, 0.5)),
    p99Ms: inMs(quantile({ counts }, SECONDS, 0.99)),
    bytesInPerSecond: rate('bytesIn'),
    bytesOutPerSecond: rate('bytesOut'),
    inFlight: sum(snapshot['tusk_requests_in_flight'] ?? []),
    unfinishedCommits: sum(snapshot['tusk_commits_unfinished'] ?? []),
  };
}

function sum(series: readonly Series[]): number {
  return series.reduce((total, { value }) => total + (typeof value === 'number' ? value : 0), 0);
}

/** The buckets of all series together. */
function countsOf(series: readonly Series[]): readonly number[] {
  const counts = new Array<number>(SECONDS.length + 1).fill(0);
  for (const { value } of series) {
    if (typeof value === 'number') continue;
    for (const [at, count] of value.counts.entries()) counts[at] = (counts[at] ?? 0) + count;
  }
  return counts;
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}
