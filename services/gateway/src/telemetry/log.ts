import { pino } from 'pino';

export type Log = ReturnType<typeof createLog>;

/** A write for each line would take longer than all else that is done for a small request: they go out together, at the latest after so long. */
const WRITE_BYTES = 8 << 10;
const WRITE_EVERY_MS = 100;

/** One JSON line an event on standard output. @param name which process speaks */
export function createLog(name: string, level: string) {
  const lines = pino.destination({ fd: 1, sync: true, minLength: WRITE_BYTES, periodicFlush: WRITE_EVERY_MS });
  process.on('exit', () => lines.flushSync());
  return pino(
    {
      name,
      level,
      base: { name },
      timestamp: timeField,
      serializers: { cause: describeError },
    },
    lines,
  );
}

/** Many lines are of one millisecond. */
let last = { nowMs: 0, field: '' };

function timeField(): string {
  const nowMs = Date.now();
  if (nowMs !== last.nowMs) last = { nowMs, field: `,"time":"${new Date(nowMs).toISOString()}"` };
  return last.field;
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
