/** What is counted, besides the calls. */
export type Counted =
  | 'commitsCreated'
  | 'commitsFinished'
  | 'commitsFailed'
  | 'fileSetsCreated'
  | 'commitsStartedOnBranch'
  | 'negativeOffsets'
  | 'lateModifyFile'
  | 'urlSources';

export interface Counters {
  readonly call: (method: string) => void;
  readonly failure: (method: string) => void;
  readonly count: (what: Counted) => void;
  readonly read: () => {
    readonly calls: Record<string, number>;
    readonly failures: Record<string, number>;
    readonly counts: Readonly<Record<Counted, number>>;
  };
  readonly reset: () => void;
}

const ZERO: Readonly<Record<Counted, number>> = {
  commitsCreated: 0,
  commitsFinished: 0,
  commitsFailed: 0,
  fileSetsCreated: 0,
  commitsStartedOnBranch: 0,
  negativeOffsets: 0,
  lateModifyFile: 0,
  urlSources: 0,
};

/** Counts of this process, for tests that ask what was done to it. */
export function createCounters(): Counters {
  const calls = new Map<string, number>();
  const failures = new Map<string, number>();
  let counts = { ...ZERO };
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  return {
    call: (method) => add(calls, method),
    failure: (method) => add(failures, method),
    count: (what) => {
      counts[what]++;
    },
    read: () => ({
      calls: Object.fromEntries(calls),
      failures: Object.fromEntries(failures),
      counts: { ...counts },
    }),
    reset: () => {
      calls.clear();
      failures.clear();
      counts = { ...ZERO };
    },
  };
}
