import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** How long many requests took, to within a hundredth, in a memory that does not grow with them. */
export interface Latencies {
  add(ms: number): void;
  addAll(others: Latencies): void;
  /** undefined: there was none. @param percent above 0, at most 100 */
  percentile(percent: number): number | undefined;
  readonly histogram: RecordableHistogram;
}

const LONGEST_US = 3_600_000_000;

export function createLatencies(): Latencies {
  const histogram = createHistogram({ lowest: 1, highest: LONGEST_US, figures: 2 });
  return {
    histogram,
    add: (ms) => histogram.record(Math.min(LONGEST_US, Math.max(1, Math.round(ms * 1000)))),
    addAll: (others) => histogram.add(others.histogram),
    percentile: (percent) => (histogram.count === 0 ? undefined : histogram.percentile(percent) / 1000),
  };
}
