/** What was measured: docs/scale/figures.json. Everything else in the study is computed from it. */
export interface Figures {
  /** The day, as YYYY-MM-DD. */
  readonly takenOn: string;
  readonly machine: string;
  /** That all programs shared, clients too. */
  readonly cores: number;
  readonly hotReads: readonly HotReads[];
  readonly coldReads: readonly ColdReads[];
  readonly writes: readonly Writes[];
}

/** Who works for a request. */
export const WHO = ['clients', 'balancer', 'gateways', 'redis', 'pachd'] as const;
export type Who = (typeof WHO)[number];

/** What requests took while they were counted. */
export interface Taken {
  readonly perSecond: number;
  /** Processor time of one, in microseconds. */
  readonly costUs: Readonly<Record<Who, number>>;
  /** Scripts that Redis did for one. */
  readonly scripts: number;
  /** Calls that all pachds got for 1000, without health checks. */
  readonly pachdPer1000: number;
  /** Cores that were busy for others than these programs, on average. */
  readonly coresOfOthers: number;
}

export interface HotReads extends Taken {
  readonly workers: number;
  readonly readers: number;
}

export interface ColdReads extends Taken {
  readonly workers: number;
  readonly readers: number;
  readonly order: 'any' | 'ascending';
}

export interface Writes extends Taken {
  readonly workers: number;
  readonly writers: number;
  readonly branches: number;
  /** Whether all writes of a branch came to one worker, as the load balancer sends them, or to any. */
  readonly spread: 'by branch' | 'to any';
  readonly commitsPer1000: number;
}

export const FIGURES_FILE = 'docs/scale/figures.json';
