import type { Log } from '../telemetry/log.ts';
import { openCluster } from './redis-cluster.ts';
import { addressText, type Target } from './redis-connection.ts';
import { type Link, type LinkCounts, openLink } from './redis-link.ts';
import { fixedServer, type Server, type Topology } from './redis-server.ts';
import { inRedisSpan } from './redis-span.ts';
import type { RedisUrl } from './redis-url.ts';
import { CacheLost, type Script, type Scripts } from './script.ts';

/** The fleet's Redis. */
export interface Redis extends Scripts {
  stats(): RedisStats;
  /** Resolves when it was tried to connect, whether that succeeded or not; it is tried again in the background. */
  readonly tried: Promise<void>;
  /** Ends all connections. What has not been answered is lost. */
  close(): Promise<void>;
}

/** Counts since the start. */
export interface RedisStats extends Readonly<LinkCounts> {
  /** 'partly': not all of the connections. */
  readonly state: 'up' | 'partly' | 'down';
}

export interface RedisOptions {
  /** How long an answer may take before the connection counts as lost, in milliseconds. */
  readonly deadlineMs?: number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const DEADLINE_MS = 250;
/** A refusal is logged, and then none for so long. */
const REFUSAL_LOGGED_MS = 10_000;

/**
 * Connects to Redis, and again whenever the connection is lost. Each script is sent once: again only after an answer that says that it
 * was not run, because the server did not know it.
 */
export function openRedis(url: RedisUrl, { deadlineMs = DEADLINE_MS, log }: RedisOptions): Redis {
  const counts: LinkCounts = { scripts: 0, writes: 0, lost: 0, reconnects: 0 };

  let refusedMs = Number.NEGATIVE_INFINITY;

  const openServer = (target: Target): Server => {
    const open = (answered: Script['answered']): Link => {
      const about = { redis: nameOf(target), connection: answered };
      return openLink(target, {
        deadlineMs,
        confirmed: answered === 'replicated',
        counts,
        onElsewhere: () => topology.lookAgain(),
        onRefused(text) {
          if (performance.now() - refusedMs < REFUSAL_LOGGED_MS) return;
          refusedMs = performance.now();
          log.warn({ ...about, refusal: text }, 'Redis refuses: going on without it until it does not');
        },
        onUp: () => log.info(about, 'connected to Redis'),
        onDown: (cause) => {
          log.warn({ ...about, cause }, 'Redis is lost: going on without it until it is back');
          topology.lookAgain();
        },
      });
    };
    return { 'at-once': open('at-once'), replicated: open('replicated') };
  };

  const topology: Topology = url.kind === 'cluster' ? openCluster(url, openServer, log) : fixedServer(openServer(url));

  return {
    run(script, slot, names, values) {
      if (!/^[^{}]+$/.test(slot)) throw new Error('a slot is a name without braces');
      const server = topology.serverOf(slot);
      if (server !== undefined) {
        return inRedisSpan(script, () => server[script.answered].run({ script, slot, names, values }));
      }
      counts.lost++;
      return Promise.reject(new CacheLost('no server of Redis is known to have it'));
    },
    stats() {
      const up = topology.servers().flatMap((server) => Object.values(server).map((link) => link.isUp()));
      const state = !up.includes(true) ? 'down' : up.includes(false) ? 'partly' : 'up';
      return { ...counts, state };
    },
    tried: topology.tried,
    close: () => topology.close(),
  };
}

function nameOf(target: Target): string {
  return target.kind === 'single' ? addressText(target.address) : target.name;
}
