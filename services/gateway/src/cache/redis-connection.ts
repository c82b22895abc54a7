import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions, ReplyError } from 'ioredis';
import { watchFailovers } from './redis-sentinel.ts';
import type { RedisAddress, RedisUrl } from './redis-url.ts';

/** A command's name and arguments. */
export type Command = readonly [name: string, ...args: (string | number | Buffer)[]];

/** What Redis is reached by: all but which server of a cluster. */
export type Target = Exclude<RedisUrl, { kind: 'cluster' }>;

/** What a server says of itself. */
export interface Identity {
  readonly runId: string;
  /** The id of what it has in common with its replicas: another after each failover. */
  readonly replicationId: string;
  readonly isPrimary: boolean;
  /** Those that have caught up with it. */
  readonly replicas: number;
}

/** 'refused': Redis answers that it has not done it, or that it failed. 'none': there will be no answer. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'none' };

/** One connection to one server, from its beginning to its end: it is never made anew under the same name. */
export interface Connection {
  /** Sends all in one write. Gives the answers in their order, strings as bytes, when the last is there. Never rejects. */
  send(commands: readonly Command[]): Promise<readonly Answer[]>;
  /** Resolves when the connection is over. */
  readonly ended: Promise<void>;
  /** Ends it. What has not been answered is never answered then. */
  close(): void;
}

/** How long a connection that was told to end may wait for the other side. */
const END_MAX_MS = 100;
const OLDEST_MAJOR = 7;
/** A replica of INFO that is online, and has said how far it is: before that it is sent nothing. */
const CAUGHT_UP = /state=online,offset=[1-9]/;

/**
 * Connects, by way of a Sentinel where there are any.
 * @param timeoutMs to the connection, the handshakes of TLS and the password included
 * @throws Error when that does not succeed
 */
export async function connect(target: Target, timeoutMs: number): Promise<Connection> {
  const redis = new Redis(optionsFor(target, timeoutMs));
  let failure: Error | undefined;
  redis.on('error', (error) => {
    failure ??= error;
  });
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([redis.connect(), late]);
  } catch (error) {
    redis.disconnect();
    // What the library throws says less than what it saw; and what it saw has the command in it, with the password.
    throw new Error(messageOf(failure ?? error));
  } finally {
    clearTimeout(timer);
  }
  if (target.kind === 'sentinel') {
    const tls = target.tls && tlsFor(target.tls.caFile);
    // Once the Sentinels have made another server the primary, this one is left.
    const stop = watchFailovers(target, tls, () => redis.disconnect());
    void ended.then(stop);
  }
  return {
    async send(commands) {
      const pipeline = redis.pipeline();
      for (const [name, ...args] of commands) pipeline.callBuffer(name, args);
      const answers = (await pipeline.exec()) ?? [];
      return answers.map(([error, value]) => answerOf(error, value));
    },
    ended,
    close: () => redis.disconnect(),
  };
}

/** @throws Error when the server cannot be used: too old, still loading, or not telling */
export async function identify(connection: Connection): Promise<Identity> {
  const [answer] = await connection.send([['info', 'server', 'replication', 'persistence']]);
  if (answer?.kind !== 'value') throw new Error(answer?.kind === 'refused' ? answer.text : 'the connection has ended');
  const fields = new Map<string, string>();
  for (const line of String(answer.value).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const version = fields.get('redis_version') ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR))
    throw new Error(`Redis 7 or newer is needed, this is ${version}`);
  if (fields.get('loading') === '1') throw new Error('Redis is still loading its data');
  const runId = fields.get('run_id');
  const replicationId = fields.get('master_replid');
  if (runId === undefined || replicationId === undefined)
    throw new Error('Redis does not tell its run and replication id');
  return {
    runId,
    replicationId,
    isPrimary: fields.get('role') === 'master',
    replicas: [...fields].filter(([name, value]) => /^slave\d+$/.test(name) && CAUGHT_UP.test(value)).length,
  };
}

/** What the keys of 'era' scripts carry: another one after each restart of the server and after each failover. */
export function eraOf({ runId, replicationId }: Identity): string {
  return createHash('sha256').update(`${runId} ${replicationId}`).digest('base64url').slice(0, 12);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function answerOf(error: Error | null, value: unknown): Answer {
  if (error === null) return { kind: 'value', value };
  return error instanceof ReplyError ? { kind: 'refused', text: error.message } : { kind: 'none' };
}

function optionsFor(target: Target, timeoutMs: number): RedisOptions & { replyMapping: 'legacy' } {
  const tls = target.tls && tlsFor(target.tls.caFile);
  return {
    ...whereFor(target, tls),
    ...(target.user === undefined ? {} : { username: target.user }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(tls === undefined ? {} : { tls }),
    db: target.database,
    lazyConnect: true,
    protocol: 2,
    replyMapping: 'legacy',
    disableClientInfo: true,
    connectTimeout: timeoutMs,
    disconnectTimeout: END_MAX_MS,
    // Nothing is ever sent a second time, and nothing waits for a connection: what becomes of a command is for its caller to decide.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  };
}

function whereFor(target: Target, tls: TlsOptions | undefined): RedisOptions {
  if (target.kind === 'single') return { ...target.address };
  return {
    // In any order: the first may be one that is cut off and knows only an old primary.
    sentinels: shuffled(target.sentinels),
    name: target.name,
    role: 'master',
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: 1_000,
    ...(target.sentinelUser === undefined ? {} : { sentinelUsername: target.sentinelUser }),
    ...(target.sentinelPassword === undefined ? {} : { sentinelPassword: target.sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

interface TlsOptions {
  readonly ca?: string;
}

/** Read at each connection, so that a certificate may be replaced. */
function tlsFor(caFile: string | undefined): TlsOptions {
  return caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
}

export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

export function addressText({ host, port }: RedisAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
