import { performance } from 'node:perf_hooks';

/** What a call adds: what is sent twice is at most a tenth of all, for long. */
const EARNED_PER_CALL = 0.1;
/** What time adds, so that a gateway with little to do can repeat what little it does. */
const EARNED_PER_SECOND = 1;
/** What is kept for bad times: the calls that one pachd has under way when it dies. */
const KEPT_MAX = 250;

export interface RetryBudget {
  /** A call was made. */
  earn(): void;
  /** Whether something may be sent once more; if so, that is paid for. */
  take(): boolean;
  /** The same for what can also be waited for: half is left for those who cannot. */
  takeSpare(): boolean;
  /** How often something may be sent once more now. */
  left(): number;
}

/**
 * Bounds what is sent more than once, so that pachds in distress do not get more to do by it. A token bucket, full at first.
 * Source: the same idea in gRPC (proposal A6, retry throttling) and in Finagle (RetryBudget).
 */
export function createRetryBudget(clock: () => number = () => performance.now()): RetryBudget {
  let tokens = KEPT_MAX;
  let atMs = clock();

  const add = (earned: number) => {
    const nowMs = clock();
    tokens = Math.min(KEPT_MAX, tokens + earned + ((nowMs - atMs) / 1_000) * EARNED_PER_SECOND);
    atMs = nowMs;
  };
  const takeAbove = (left: number): boolean => {
    add(0);
    if (tokens < left + 1) return false;
    tokens -= 1;
    return true;
  };

  return {
    earn: () => add(EARNED_PER_CALL),
    take: () => takeAbove(0),
    takeSpare: () => takeAbove(KEPT_MAX / 2),
    left() {
      add(0);
      return Math.floor(tokens);
    },
  };
}
