import type { RedisStats } from './cache/redis.ts';
import type { Config } from './config.ts';
import type { MemberStatus } from './pachd/member.ts';
import type { Fault } from './telemetry/faults.ts';
import type { Snapshot } from './telemetry/registry.ts';

/** What the supervisor and its workers say to each other. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly number: number;
      readonly config: Config;
      /** Where unfinished uploads outlive the worker; undefined: nowhere. */
      readonly uploadsDir: string | undefined;
    }
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'booted' }
  /** What it does next, if it should die of it. */
  | { readonly kind: 'opens'; readonly folder: string }
  | { readonly kind: 'listening' }
  /** It cannot start, and why, in one line. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'status'; readonly id: number; readonly status: WorkerStatus }
  | { readonly kind: 'metrics'; readonly id: number; readonly metrics: Snapshot };

export interface WorkerLoad {
  readonly requestsInFlight: number;
  readonly sockets: number;
  /** Body bytes that nobody has read, and bytes of answers that wait for their client. */
  readonly bufferedBytes: number;
  /** What TUSK_BUFFER_BYTES bounds. */
  readonly bodyBytes: number;
  /** Commits that are acknowledged and not finished. */
  readonly unfinishedCommits: number;
  /** For how long the oldest of these has been; 0: there is none. */
  readonly oldestUnfinishedMs: number;
  /** undefined: the worker shares nothing. */
  readonly redis: RedisStats | undefined;
}

export interface WorkerStatus extends WorkerLoad {
  readonly residentBytes: number;
  /** The pool, as this worker sees it. */
  readonly pachd: readonly MemberStatus[];
  /** The last requests that went wrong on this side, newest last. */
  readonly faults: readonly Fault[];
}
