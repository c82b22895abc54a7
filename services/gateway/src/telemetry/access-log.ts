import { describeError, type Log } from './log.ts';
import { isFault, type Observer, type Outcome } from './outcome.ts';

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
  log: Pick<Log, 'line'>,
  { enabled, sample, draw = Math.random }: AccessLogOptions,
): Observer {
  return (outcome) => {
    const fault = isFault(outcome.status, outcome.code);
    if (!enabled && !fault) return;
    const always = fault || outcome.answerMs >= SLOW_MS;
    if (!always && sample < 1 && draw() >= sample) return;
    const cause = fault ? member('cause', describeError(outcome.cause)) : '';
    log.line(fault ? 'warn' : 'info', membersOf(outcome) + cause + member('sample', always ? 1 : sample), 'request');
  };
}

function membersOf(outcome: Outcome): string {
  const { requestId, sentId, traceId, operation, method, rawPath, status, code, bytesOut, totalMs } = outcome;
  const [ids, ms] = [member('sentId', sentId) + member('traceId', traceId), Math.round(totalMs * 10) / 10];
  const told = `"requestId":"${requestId}"${ids},"operation":"${operation}","method":${JSON.stringify(method)}`;
  return `${told},"path":${JSON.stringify(rawPath)},"status":${status}${member('code', code)},"bytesOut":${bytesOut},"ms":${ms}`;
}

function member(name: string, value: unknown): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}
