import { pino } from 'pino';

export type Log = ReturnType<typeof createLog>;

/** One JSON line an event on standard output. @param name which process speaks */
export function createLog(name: string, level: string) {
  return pino({
    name,
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { cause: describeError },
  });
}

/** An error's kind, text and place, and those of what caused it; no other property of it, since one may hold a request. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error === undefined ? undefined : String(error);
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
