import type { WorkerStatus } from '../messages.ts';
import type { Fault } from '../telemetry/faults.ts';
import type { Series, Snapshot } from '../telemetry/registry.ts';
import type { Moment } from './history.ts';

/** A gateway, as it sees itself. */
export interface GatewayStatus {
  /** Why it should get no requests now; empty: it should. */
  readonly notReady: string;
  readonly nowMs: number;
  readonly startedMs: number;
  /** What each worker says of itself; undefined for one that does not answer. */
  readonly workers: readonly (WorkerStatus | undefined)[];
  readonly caches: readonly CacheFigures[];
  /** The last ten minutes, oldest first. */
  readonly history: readonly Moment[];
}

export interface GatewayFault extends Fault {
  readonly worker: number;
}

export interface CacheFigures {
  readonly cache: string;
  readonly hits: number;
  readonly misses: number;
  readonly refusals: number;
}

const FAULTS_MAX = 20;

/** The last requests that went wrong on this side, newest first. */
export function faultsOf(workers: GatewayStatus['workers']): readonly GatewayFault[] {
  return workers
    .flatMap((status, worker) => (status?.faults ?? []).map((fault) => ({ ...fault, worker })))
    .sort((one, other) => other.atMs - one.atMs)
    .slice(0, FAULTS_MAX);
}

export function cachesOf(snapshot: Snapshot): readonly CacheFigures[] {
  const requests = snapshot['tusk_cache_requests_total'] ?? [];
  const refusals = snapshot['tusk_cache_refusals_total'] ?? [];
  const kinds = [...new Set(requests.map(({ labels: [cache = ''] }) => cache))].sort();
  return kinds.map((cache) => ({
    cache,
    hits: numberOf(requests, [cache, 'hit']),
    misses: numberOf(requests, [cache, 'miss']),
    refusals: numberOf(refusals, [cache]),
  }));
}

function numberOf(series: readonly Series[], labels: readonly string[]): number {
  const found = series.find((one) => one.labels.join('\n') === labels.join('\n'));
  return typeof found?.value === 'number' ? found.value : 0;
}
