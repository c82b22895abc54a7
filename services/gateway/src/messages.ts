import type { RedisStats } from './cache/redis.ts';
import type { Config } from './config.ts';
import type { MemberStatus } from './pachd/member.ts';

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
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'booted' }
  /** What it does next, if it should die of it. */
  | { readonly kind: 'opens'; readonly folder: string }
  | { readonly kind: 'listening' }
  /** It cannot start, and why, in one line. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'status'; readonly id: number; readonly status: WorkerStatus };

export interface WorkerStatus {
  readonly requestsInFlight: number;
  readonly sockets: number;
  readonly bufferedBytes: number;
  readonly bodyBytes: number;
  readonly unfinishedCommits: number;
  /** The connections to Redis; undefined: the worker shares nothing. */
  readonly redis: RedisStats | undefined;
  readonly residentBytes: number;
  /** The pool, as this worker sees it. */
  readonly pachd: readonly MemberStatus[];
}
