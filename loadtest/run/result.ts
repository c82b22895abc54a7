/** What one run of a scenario came to. It stands in its report, and is all that a comparison needs. */
export interface Result {
  /** Of this shape; a report of another one is refused. */
  readonly version: 1;
  readonly scenario: string;
  readonly about: string;
  /** Where it was sent to. */
  readonly target: string;
  readonly beganMs: number;
  /** At most at once. */
  readonly users: number;
  /** From the first answer to the last. */
  readonly seconds: number;
  readonly total: Figures;
  readonly operations: readonly OperationFigures[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly points: readonly Point[];
  readonly checks: readonly CheckFigures[];
  readonly faults: readonly FaultFigures[];
  readonly verdicts: readonly Verdict[];
}

/** Latencies are undefined where there was no request. */
export interface Figures {
  readonly requests: number;
  readonly failed: number;
  readonly p50Ms?: number | undefined;
  readonly p95Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  readonly longestMs?: number | undefined;
}

export interface OperationFigures extends Figures {
  readonly name: string;
}

/** A span of time. */
export interface Point extends Figures {
  /** Where it begins, since the test began, and how long it is. */
  readonly fromMs: number;
  readonly ms: number;
  /** From the target, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly users: number;
}

export interface CheckFigures {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

export interface FaultFigures {
  readonly operation: string;
  /** Of HTTP; 0: there was no answer. */
  readonly status: number;
  /** k6's number for it. */
  readonly code: number;
  readonly count: number;
}

/** A threshold, and whether it was kept. */
export interface Verdict {
  /** As in k6's options, such as `http_req_duration{name:GetObject}` and `p(99)<1000`. */
  readonly metric: string;
  readonly threshold: string;
  /** undefined: nothing of it was measured, which keeps no threshold. */
  readonly found?: number | undefined;
  readonly unit: 'ms' | 'part' | 'per second';
  readonly kept: boolean;
}

export function hasPassed({ verdicts }: Result): boolean {
  return verdicts.every(({ kept }) => kept);
}
