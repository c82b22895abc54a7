import type { Log } from './log.ts';
import { isFault, type Observer } from './outcome.ts';

/** One line a request; a fault of tusk or of pachd is written with its cause even where the lines are switched off. */
export function createAccessLog(log: Log, enabled: boolean): Observer {
  return ({ requestId, sentId, traceId, operation, method, rawPath, status, code, cause, bytesOut, totalMs }) => {
    const fault = isFault(status, code);
    if (!enabled && !fault) return;
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
      cause: fault ? cause : undefined,
    };
    if (fault) log.warn(line, 'request');
    else log.info(line, 'request');
  };
}
