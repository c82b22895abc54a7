import { type Logger, pino } from 'pino';

export interface Log extends Logger {
  /**
   * Writes an event whose members somebody else has made JSON of, which for the line of a request takes a third of the time.
   * @param members of a JSON object, one at least, without its braces
   */
  line(level: 'info' | 'warn', members: string, message: string): void;
}

/** One JSON line an event on standard output. @param name which process speaks */
export function createLog(name: string, level: string): Log {
  const lines = new Lines();
  const logger = pino(
    { name, level, base: { name }, timestamp: timeField, serializers: { cause: describeError } },
    lines,
  );
  const before = { info: `{"level":${pino.levels.values['info']}`, warn: `{"level":${pino.levels.values['warn']}` };
  const named = `,"name":${JSON.stringify(name)},`;
  return Object.assign(logger, {
    line(at: 'info' | 'warn', members: string, message: string): void {
      if (!logger.isLevelEnabled(at)) return;
      lines.write(`${before[at]}${timeField()}${named}${members},"msg":${JSON.stringify(message)}}\n`);
    },
  });
}

const WRITE_CHARACTERS = 8 << 10;
const WRITE_EVERY_MS = 100;

/**
 * Lines that go out together, at the latest after so long: a write for each would take longer than all else that is done for a small
 * request. They are put together here, since the destination looks at all that waits with each line that it is given.
 */
class Lines {
  readonly #destination = pino.destination({ fd: 1, sync: true });
  #waiting = '';

  constructor() {
    setInterval(() => this.flushSync(), WRITE_EVERY_MS).unref();
    process.on('exit', () => this.flushSync());
  }

  write(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length >= WRITE_CHARACTERS) this.flushSync();
  }

  flushSync(): void {
    if (this.#waiting === '') return;
    const lines = this.#waiting;
    this.#waiting = '';
    this.#destination.write(lines);
  }
}

/** Many lines are of one millisecond. */
let last = { nowMs: 0, field: '' };

function timeField(): string {
  const nowMs = Date.now();
  if (nowMs !== last.nowMs) last = { nowMs, field: `,"time":"${new Date(nowMs).toISOString()}"` };
  return last.field;
}

/** An error's kind, text and place, and those of what caused it; no other property of it, since one may hold a request. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error === undefined ? undefined : String(error);
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
