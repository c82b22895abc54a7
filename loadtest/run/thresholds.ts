import type { Verdict } from './result.ts';

/** What thresholds may be about, over the whole test. undefined: nothing of it was measured. */
export interface Totals {
  /** The part of all checks that passed. */
  checksPassed(): number | undefined;
  /** The part of all requests that failed. @param operation left out: of all operations */
  failed(operation?: string): number | undefined;
  percentileMs(percent: number, operation?: string): number | undefined;
  /** Iterations that were due when no user was free. */
  droppedPerSecond(): number;
}

export interface Threshold {
  readonly metric: string;
  readonly threshold: string;
  readonly unit: Verdict['unit'];
  readonly limit: number;
  readonly keeps: (found: number, limit: number) => boolean;
  readonly find: (totals: Totals) => number | undefined;
}

const COMPARISONS: Readonly<Record<string, Threshold['keeps']>> = {
  '<': (found, limit) => found < limit,
  '<=': (found, limit) => found <= limit,
  '>': (found, limit) => found > limit,
  '>=': (found, limit) => found >= limit,
  '==': (found, limit) => found === limit,
};

/**
 * A scenario's thresholds, as k6 writes them. k6 does not judge them itself, since it keeps every sample for that until the test ends.
 * Source: k6's documentation, "Thresholds". @throws Error that names one that cannot be judged here
 */
export function parseThresholds(options: Readonly<Record<string, readonly string[]>>): readonly Threshold[] {
  return Object.entries(options).flatMap(([metric, texts]) =>
    texts.map((threshold) => {
      const [, method = '', comparison = '', limit] = /^(\S+?)\s*([<>]=?|==)\s*([\d.]+)$/.exec(threshold) ?? [];
      const found = finderOf(metric, method);
      const keeps = COMPARISONS[comparison];
      if (found === undefined || keeps === undefined) throw new Error(`nobody judges ${metric}: ${threshold}`);
      return { metric, threshold, limit: Number(limit), keeps, ...found };
    }),
  );
}

/** What a test came to, threshold by threshold. */
export function judge(thresholds: readonly Threshold[], totals: Totals): readonly Verdict[] {
  return thresholds.map(({ metric, threshold, unit, limit, keeps, find }) => {
    const found = find(totals);
    return { metric, threshold, unit, found, kept: found !== undefined && keeps(found, limit) };
  });
}

function finderOf(metric: string, method: string): Pick<Threshold, 'unit' | 'find'> | undefined {
  const [, name = '', operation] = /^(\w+)(?:\{name:(\w+)\})?$/.exec(metric) ?? [];
  const percent = /^p\(([\d.]+)\)$/.exec(method)?.[1];
  if (name === 'http_req_duration' && percent !== undefined) {
    return { unit: 'ms', find: (totals) => totals.percentileMs(Number(percent), operation) };
  }
  if (method !== 'rate') return undefined;
  if (name === 'http_req_failed') return { unit: 'part', find: (totals) => totals.failed(operation) };
  if (operation !== undefined) return undefined;
  if (name === 'checks') return { unit: 'part', find: (totals) => totals.checksPassed() };
  if (name === 'dropped_iterations') return { unit: 'per second', find: (totals) => totals.droppedPerSecond() };
  return undefined;
}
