import { scriptSeconds } from '../telemetry/metrics.ts';
import { type Answer, type Connection, eraOf, type Identity, identify } from './redis-connection.ts';
import { startDeadline, within } from './redis-deadline.ts';
import { bytesOf, type Call, commandFor, refusalOf } from './redis-script.ts';
import { CacheLost } from './script.ts';

/** What is asked of one server over one connection, from when it is known to be in order until it is lost. */
export interface Session {
  /** @throws CacheLost */
  run(call: Call): Promise<unknown>;
  /** Resolves with the reason when the session is over; all its calls have been answered or given up then. */
  readonly ended: Promise<Error>;
  end(why: Error): void;
}

export interface SessionOptions {
  /** How long an answer may take, in milliseconds: after it the session is over. */
  readonly deadlineMs: number;
  /** Calls are answered when a replica has them too, if there is one. */
  readonly confirmed: boolean;
  readonly counts: Counts;
  /** Redis says that another server has what was asked for. */
  onElsewhere(): void;
  /** Redis says, with this text, why it does nothing at the moment. */
  onRefused(text: string): void;
}

export interface Counts {
  /** Scripts that were sent. */
  scripts: number;
  /** How often something was written for them. */
  writes: number;
  /** Calls that ended in CacheLost. */
  lost: number;
}

interface Entry {
  readonly call: Call;
  readonly bytes: number;
  readonly sinceMs: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How often a server is asked whether it still is what it was. */
const REFRESH_MS = 2_000;
/** A replica has this part of the deadline; the rest is for the answer to come. */
const CONFIRM_SHARE = 0.6;
/** What is without an answer at once. */
const CALLS_MAX = 20_000;
const CALLS_MAX_BYTES = 64 << 20;

/** @param identity what the server said over this connection */
export function openSession(connection: Connection, identity: Identity, options: SessionOptions): Session {
  const { deadlineMs, confirmed, counts } = options;
  const server = { era: eraOf(identity), replicationId: identity.replicationId };
  const waiting = new Set<Entry>();
  let waitingBytes = 0;
  let queue: Entry[] = [];
  let { replicas } = identity;
  let over: Error | undefined;
  let resolveEnded = (_: Error): void => {};
  const ended = new Promise<Error>((resolve) => {
    resolveEnded = resolve;
  });

  /** False: it has been given up already, and the answer is too late. */
  const leave = (entry: Entry): boolean => {
    if (!waiting.delete(entry)) return false;
    waitingBytes -= entry.bytes;
    scriptSeconds(entry.call.script.name).observe((performance.now() - entry.sinceMs) / 1_000);
    return true;
  };

  const lose = (entry: Entry, why: string, cause?: Error): void => {
    if (!leave(entry)) return;
    counts.lost++;
    entry.reject(new CacheLost(why, { cause }));
  };

  const end = (why: Error): void => {
    if (over !== undefined) return;
    over = why;
    clearInterval(refreshing);
    connection.close();
    for (const entry of [...waiting]) lose(entry, `Redis is lost: ${why.message}`, why);
    resolveEnded(why);
  };

  const settle = (entry: Entry, answer: Answer | undefined, how: 'by-hash' | 'whole'): void => {
    if (answer?.kind === 'value') {
      if (leave(entry)) entry.resolve(answer.value);
    } else if (answer?.kind === 'refused') {
      refused(entry, answer.text, how);
    } else {
      lose(entry, 'the connection to Redis has ended');
    }
  };

  const refused = (entry: Entry, text: string, how: 'by-hash' | 'whole'): void => {
    const refusal = refusalOf(text);
    if (refusal === 'unknown-script' && how === 'by-hash') {
      // That was not an execution, so the one that follows is the only one.
      if (waiting.has(entry)) void send([entry], 'whole');
    } else if (refusal === 'faulty-script') {
      if (leave(entry)) entry.reject(new Error(`the script ${entry.call.script.name} fails: ${text}`));
    } else {
      lose(entry, `Redis refuses: ${text}`);
      if (refusal === 'elsewhere') options.onElsewhere();
      if (refusal === 'not-now') options.onRefused(text);
      if (refusal === 'other-server') end(new Error(text));
    }
  };

  const send = async (batch: readonly Entry[], how: 'by-hash' | 'whole'): Promise<void> => {
    const [first] = batch;
    if (first === undefined) return;
    const commands = batch.map(({ call }) => commandFor(call, server, how));
    const mustHave = confirmed && replicas > 0;
    if (mustHave) commands.push(['wait', 1, Math.floor(deadlineMs * CONFIRM_SHARE)]);
    counts.writes++;
    counts.scripts += batch.length;
    const stop = startDeadline(first.sinceMs + deadlineMs - performance.now(), () =>
      end(new Error(`no answer within ${deadlineMs} ms`)),
    );
    const answers = await connection.send(commands);
    stop();
    const confirmedBy = answers[batch.length];
    const has = !mustHave || (confirmedBy?.kind === 'value' && Number(confirmedBy.value) >= 1);
    batch.forEach((entry, at) => {
      if (!has && answers[at]?.kind === 'value') lose(entry, 'no replica has confirmed it in time');
      else settle(entry, answers[at], how);
    });
  };

  const flush = (): void => {
    const batch = queue;
    queue = [];
    if (over === undefined) void send(batch, 'by-hash');
  };

  const refreshing = setInterval(async () => {
    try {
      const now = await within(deadlineMs, identify(connection));
      replicas = now.replicas;
      if (!now.isPrimary || eraOf(now) !== server.era) end(new Error('Redis is not the primary that it was'));
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  }, REFRESH_MS);
  void connection.ended.then(() => end(new Error('the connection has ended')));

  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        const bytes = bytesOf(call);
        if (over !== undefined || waiting.size >= CALLS_MAX || waitingBytes + bytes > CALLS_MAX_BYTES) {
          counts.lost++;
          reject(new CacheLost(over ? `Redis is lost: ${over.message}` : 'too much is asked of Redis at once'));
          return;
        }
        const entry: Entry = { call, bytes, sinceMs: performance.now(), resolve, reject };
        waiting.add(entry);
        waitingBytes += bytes;
        // All that one turn of the event loop asks for goes in one write.
        if (queue.push(entry) === 1) setImmediate(flush);
      }),
    ended,
    end,
  };
}
