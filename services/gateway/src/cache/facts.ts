import type { Log } from '../telemetry/log.ts';
import { countCache } from '../telemetry/metrics.ts';
import { CacheLost, type Script, type Scripts } from './script.ts';
import { createSeal } from './seal.ts';

/** What facts of one kind are like. A new form of its values is a new kind: gateways of two versions share one Redis. */
export interface FactKind<T> {
  readonly name: string;
  /**
   * 'never': true for ever, as what a finished commit has under a path. 'ends': believed for a time, as who a token is and what somebody
   * may do; nothing of it is believed after a restart or a failover of Redis.
   */
  readonly changes: 'never' | 'ends';
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

export interface Believed<T> {
  readonly value: T;
  /** How much longer it may be believed, in milliseconds, at least 1. Who keeps it longer believes what the fleet does not. */
  readonly leftMs: number;
}

/** What pachd answered, and how long that may be believed from when it was asked. */
export interface Asked<T> {
  readonly value: T;
  readonly forMs: number;
}

/**
 * What the fleet knows of one kind. It is served to whoever asks for the key: permissions are checked before. May be put here: token
 * -> principal (what pachd called bad, briefly); principal and repo -> permissions, of which only what is granted may be believed;
 * finished commit and path -> file, small content, or that there is none. Not: anything of a branch or of an open commit, failures to
 * ask. Keys stand in Redis as HMACs and values sealed, so a token or a path may be in both. When Redis is lost nothing is known.
 */
export interface Facts<T> {
  get(key: string): Promise<Believed<T> | undefined>;
  /**
   * What is known, else what `ask` answers, which is known from then on. Several at once with one key are for the caller to make one.
   * @param isEnough false: what is known is not believed, and is asked again
   * @throws what `ask` throws
   */
  find(key: string, ask: () => Promise<Asked<T>>, isEnough?: (value: T) => boolean): Promise<Believed<T>>;
  /** Keeps what never changes, without waiting. */
  note(key: string, value: T, forMs: number): void;
}

/** Larger values are not kept. */
const VALUE_MAX_BYTES = 256 << 10;
/** Of Redis' maxmemory, in percent: what is above is for what cannot be asked again. */
const MEMORY_SHARE = 80;

const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Gives the value, how long it is kept in ms, and the time. */
const GET = `#!lua
${NOW}return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]), now}`;

/**
 * The value, how long it is believed in ms, and since when; empty: now. A script may be done late, and what was asked long ago is not
 * believed from then on.
 */
const PUT = `#!lua
${NOW}local since = ARGV[3] == '' and now or tonumber(ARGV[3])
local ends = since + ARGV[2]
if since > now or ends <= now then return 0 end
local memory = redis.call('INFO', 'memory')
local used, max = string.match(memory, 'used_memory:(%d+)'), string.match(memory, 'maxmemory:(%d+)')
if tonumber(max) > 0 and used * 100 > max * ${MEMORY_SHARE} then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ends)
return 1`;

const scriptsOf = (keys: Script['keys']): Readonly<Record<'get' | 'put', Script>> => ({
  get: { name: 'fact get', keys, answered: 'at-once', source: GET },
  put: { name: 'fact put', keys, answered: 'at-once', source: PUT },
});
const SCRIPTS = { never: scriptsOf('lasting'), ends: scriptsOf('era') } as const;

interface Known<T> {
  readonly believed: Believed<T> | undefined;
  /** The server's time. undefined: it was not reached. */
  readonly nowMs: number | undefined;
}

/** @param scripts undefined: there is no fleet, and nothing is known beside what the caller keeps itself */
export function createFacts<T>(
  scripts: Scripts | undefined,
  cacheSecret: string,
  kind: FactKind<T>,
  log: Pick<Log, 'warn'>,
): Facts<T> {
  const seal = createSeal(cacheSecret, `fact ${kind.name}`);
  const { get, put } = SCRIPTS[kind.changes];
  const count = countCache(`fleet ${kind.name}`);

  /** undefined as well when it cannot be done. */
  const run = async (script: Script, key: string, values: readonly (string | number | Buffer)[]): Promise<unknown> => {
    try {
      return await scripts?.run(script, `facts.${kind.name}.${seal.name(key)}`, ['fact'], values);
    } catch (error) {
      // Facts spare questions; without them all is asked.
      if (!(error instanceof CacheLost)) log.warn({ cause: error }, 'what the fleet knows cannot be used');
      return undefined;
    }
  };

  const look = async (key: string): Promise<Known<T>> => {
    const askedMs = performance.now();
    const answer = await run(get, key, []);
    const [sealed, keptMs, nowMs]: readonly unknown[] = Array.isArray(answer) ? answer : [];
    const bytes = sealed instanceof Uint8Array ? seal.open(sealed, key) : undefined;
    if (scripts !== undefined) count.asked(bytes !== undefined);
    const leftMs = Math.max(1, Number(keptMs) - (performance.now() - askedMs));
    return {
      believed: bytes && { value: kind.decode(bytes), leftMs },
      nowMs: typeof nowMs === 'number' ? nowMs : undefined,
    };
  };

  const keep = async (key: string, value: T, forMs: number, sinceMs: number | ''): Promise<void> => {
    const bytes = kind.encode(value);
    if (bytes.length <= VALUE_MAX_BYTES && forMs >= 1) {
      const kept = await run(put, key, [seal.seal(bytes, key), Math.floor(forMs), sinceMs]);
      if (kept === 0) count.refused();
    }
  };

  return {
    get: async (key) => (await look(key)).believed,

    async find(key, ask, isEnough = () => true) {
      const { believed, nowMs } = await look(key);
      if (believed !== undefined && isEnough(believed.value)) return believed;
      const askedMs = performance.now();
      const { value, forMs } = await ask();
      // Of a Redis that was not reached just now it is not known what the time is.
      if (nowMs !== undefined) await keep(key, value, forMs, nowMs);
      return { value, leftMs: Math.max(1, forMs - (performance.now() - askedMs)) };
    },

    note: (key, value, forMs) => void keep(key, value, forMs, ''),
  };
}
