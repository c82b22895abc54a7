import { isFault, type Observer } from './outcome.ts';

/** A request that went wrong on this side, as the status page shows it. */
export interface Fault {
  readonly atMs: number;
  readonly requestId: string;
  readonly sentId: string | undefined;
  readonly traceId: string | undefined;
  readonly operation: string;
  readonly status: number;
  readonly code: string | undefined;
  /** What was wrong, in one sentence; empty where nobody said. */
  readonly why: string;
}

const KEPT = 20;
const WHY_MAX = 300;

/** The last requests that went wrong, newest last. */
export function createFaults(): { readonly observe: Observer; readonly last: () => readonly Fault[] } {
  const faults: Fault[] = [];
  return {
    observe({ requestId, sentId, traceId, operation, status, code, cause }) {
      if (!isFault(status, code)) return;
      if (faults.length === KEPT) faults.shift();
      const why = (cause instanceof Error ? cause.message : '').slice(0, WHY_MAX);
      faults.push({ atMs: Date.now(), requestId, sentId, traceId, operation, status, code, why });
    },
    last: () => faults,
  };
}
