import { type Connection, connect, type Identity, identify, type Target } from './redis-connection.ts';
import { pause, within } from './redis-deadline.ts';
import type { Call } from './redis-script.ts';
import { type Counts, openSession, type Session, type SessionOptions } from './redis-session.ts';
import { CacheLost } from './script.ts';

/** One connection to one server, which is made anew when it is lost. */
export interface Link {
  /** @throws CacheLost, at once while there is no connection */
  run(call: Call): Promise<unknown>;
  isUp(): boolean;
  /** Resolves when the first attempt to connect is over, whether it succeeded or not. */
  readonly tried: Promise<void>;
  /** Gives up what has not been answered. */
  close(): Promise<void>;
}

export interface LinkOptions extends SessionOptions {
  readonly counts: LinkCounts;
  onUp(): void;
  /** Said once, however many attempts fail after it. */
  onDown(why: Error): void;
}

export interface LinkCounts extends Counts {
  /** Connections that took the place of a lost one. */
  reconnects: number;
}

const CONNECT_MAX_MS = 2_000;
/** The wait before the next attempt is random, up to a bound that doubles each time: a fleet does not come back in one moment. */
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 2_000;
/** After a session that was shorter, what was wrong is taken to be wrong still. */
const STABLE_MS = 10_000;

export function openLink(target: Target, options: LinkOptions): Link {
  const { counts } = options;
  const closing = new AbortController();
  let session: Session | undefined;
  let isDown = false;
  let resolveTried = (): void => {};
  const tried = new Promise<void>((resolve) => {
    resolveTried = resolve;
  });

  /** One connection from its beginning to its end. @returns why it ended */
  const attempt = async (): Promise<Error> => {
    let connection: Connection | undefined;
    try {
      connection = await connect(target, CONNECT_MAX_MS);
      const identity = await identifyPromptly(connection, options.deadlineMs);
      if (!identity.isPrimary) throw new Error('it is a replica');
      if (closing.signal.aborted) throw new Error('closed');
      session = openSession(connection, identity, options);
      if (isDown) counts.reconnects++;
      isDown = false;
      options.onUp();
      resolveTried();
      return await session.ended;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      session = undefined;
      connection?.close();
    }
  };

  const keepUp = async (): Promise<void> => {
    for (let failures = 0; ; failures++) {
      const begunMs = performance.now();
      const why = await attempt();
      resolveTried();
      if (closing.signal.aborted) return;
      if (!isDown) options.onDown(why);
      isDown = true;
      if (performance.now() - begunMs > STABLE_MS) failures = 0;
      await pause(Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures), closing.signal);
      if (closing.signal.aborted) return;
    }
  };
  const kept = keepUp();

  return {
    run(call) {
      if (session !== undefined) return session.run(call);
      counts.lost++;
      return Promise.reject(new CacheLost('there is no connection to Redis'));
    },
    isUp: () => session !== undefined,
    tried,
    async close() {
      closing.abort();
      session?.end(new Error('closed'));
      await kept;
    },
  };
}

/**
 * Asks a server who it is, until it answers within the deadline: one that was paused answers at once when it goes on, and one that is
 * slow is as good as lost.
 */
async function identifyPromptly(connection: Connection, deadlineMs: number): Promise<Identity> {
  const giveUpMs = performance.now() + CONNECT_MAX_MS;
  for (;;) {
    const askedMs = performance.now();
    const identity = await within(giveUpMs - askedMs, identify(connection));
    if (performance.now() - askedMs <= deadlineMs) return identity;
  }
}
