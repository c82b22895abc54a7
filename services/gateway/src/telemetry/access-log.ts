import type { Log } from './log.ts';
import { isFault, type Observer } from './outcome.ts';

/** An answer that took longer to begin is one to look into. */
const SLOW_MS = 1_000;

export interface AccessLogOptions {
  readonly enabled: boolean;
  /** The part of the requests that get a line, more than 0 and at most 1. */
  readonly sample: number;
  /** Gives a number from 0 up to 1. */
  readonly draw?: () => number;
}

/**
 * One line a request, or of so many requests. What went wrong at tusk or at pachd is written in any case, with its cause; what was slow is
 * written unless the lines are switched off. A line stands for 1 / `sample` requests: the sum of that over all lines is their number.
 */
export function createAccessLog(
  log: Pick<Log, 'info' | 'warn'>,
  { enabled, sample, draw = Math.random }: AccessLogOptions,
): Observer {
  return ({
    requestId,
    sentId,
    traceId,
    operation,
    method,
    rawPath,
    status,
    code,
    cause,
    bytesOut,
    answerMs,
    totalMs,
  }) => {
    const fault = isFault(status, code);
    if (!enabled && !fault) return;
    const always = fault || answerMs >= SLOW_MS;
    if (!always && sample < 1 && draw() >= sample) return;
    const line = {
      requestId,
      sentId,
      traceId,
      operation,
      method,
      path: rawPath,
      status,
      code,
      bytesOut,
      ms: Math.round(totalMs * 10) / 10,
      sample: always ? 1 : sample,
      cause: fault ? cause : undefined,
    };
    if (fault) log.warn(line, 'request');
    else log.info(line, 'request');
  };
}
