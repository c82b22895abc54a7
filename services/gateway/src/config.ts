import { randomBytes } from 'node:crypto';
import { parseRedisUrl, type RedisUrl } from './cache/redis-url.ts';
import { readTelemetry, type TelemetryConfig } from './config-telemetry.ts';

/** Everything that an operator can set: one frozen value, read once from the environment. Units are last in the names. */
export interface Config {
  /** `ownPort` is that of one worker alone, given to it by the supervisor. */
  readonly listen: Address & { readonly ownPort?: number };
  /** The first of the workers' own ports; 0: they have none. */
  readonly workerPort: number;
  readonly adminListen: Address;
  /** Where pachd is; empty: start devpachd as a child. */
  readonly pachd: readonly PachdAddress[];
  readonly redisUrl: RedisUrl | undefined;
  /** Keys everything that the fleet shares. Random when unset, which is enough while nothing is shared. */
  readonly cacheSecret: string;
  readonly workers: number;
  /** Domains under which buckets are virtual hosts. */
  readonly domains: readonly string[];
  /** Origins whose pages may ask; `*` in one stands for any text. Empty: none. */
  readonly corsOrigins: readonly string[];
  /** The region that signatures must name; empty: any. */
  readonly region: string;
  readonly headTtlMs: number;
  readonly authTtlMs: number;
  /** off: a commit for each object, answered when it is finished. */
  readonly writeBatch: boolean;
  readonly writeGatherMs: number;
  readonly writePending: number;
  /** off: each object is read by itself. */
  readonly readBatch: boolean;
  readonly bufferBytes: number;
  readonly contentCacheBytes: number;
  readonly uploadMaxAgeHours: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
  /** The part of the requests that get a line; those that went wrong or were slow get one anyway. */
  readonly logSample: number;
  /** How many buckets metrics tell of by name; 0: none. */
  readonly metricsBuckets: number;
  readonly telemetry: TelemetryConfig;
  readonly drainMs: number;
  /** Folder of devpachd's data, of this gateway's lock and of what one worker keeps over restarts. */
  readonly dataDir: string;
  /** Whether somebody asked for that folder, so that nothing goes on without it. */
  readonly dataDirGiven: boolean;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface PachdAddress extends Address {
  readonly tls: boolean;
}

/** Addresses of pachd in the settings. */
const PACHD_MAX = 64;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** One setting: its name, what it is when unset, what the README says of it, and how its text becomes a value. */
interface Setting<T> {
  readonly name: string;
  readonly fallback: string;
  readonly about: string;
  readonly parse: (text: string) => T;
}

const setting = <T>(name: string, fallback: string, about: string, parse: (text: string) => T): Setting<T> => ({
  name,
  fallback,
  about,
  parse,
});

const SETTINGS = {
  listen: setting('TUSK_LISTEN', '127.0.0.1:30600', 'where S3 clients connect', parseAddress),
  workerPort: setting(
    'TUSK_WORKER_PORT',
    '0',
    'each worker listens on this port plus its number too, so that a load balancer can choose it; 0: none',
    integer(0, 65_000),
  ),
  adminListen: setting(
    'TUSK_ADMIN_LISTEN',
    '127.0.0.1:30601',
    'health, metrics and status; not for clients',
    parseAddress,
  ),
  pachd: setting(
    'TUSK_PACHD',
    '',
    '`grpc://host:port[,…]`, `grpcs://` for TLS; a name stands for all of its addresses; empty: start devpachd',
    parsePachd,
  ),
  redisUrl: setting(
    'TUSK_REDIS_URL',
    '',
    'the cache that several workers share; empty: memory, for one worker',
    (text) => (text === '' ? undefined : parseRedisUrl(text)),
  ),
  cacheSecret: setting(
    'TUSK_CACHE_SECRET',
    '',
    'keys what is cached, 16 characters or more; empty: random',
    parseSecret,
  ),
  workers: setting('TUSK_WORKERS', '1', 'worker processes', integer(1, 64)),
  domains: setting('TUSK_DOMAINS', '', 'domains whose subdomains are buckets, separated by commas', parseDomains),
  corsOrigins: setting(
    'TUSK_CORS_ORIGINS',
    '',
    'origins whose pages may use buckets, such as `https://app.example.com`, separated by commas; `*` stands for anything; empty: none',
    parseOrigins,
  ),
  region: setting('TUSK_REGION', '', 'the region that signatures must name; empty: any', (text) => text),
  headTtlMs: setting(
    'TUSK_HEAD_TTL_MS',
    '1000',
    'how long a commit made outside tusk may stay unseen; 0: ask pachd each time',
    integer(0, 60_000),
  ),
  authTtlMs: setting(
    'TUSK_AUTH_TTL_MS',
    '10000',
    'how long a token and a permission are believed; 0: ask pachd each time',
    integer(0, 600_000),
  ),
  writeBatch: setting('TUSK_WRITE_BATCH', 'on', 'off: a commit for each object, answered when it is finished', onOff),
  writeGatherMs: setting(
    'TUSK_WRITE_GATHER_MS',
    '0',
    'how long a write waits for company: fewer commits, later answers',
    integer(0, 60_000),
  ),
  writePending: setting('TUSK_WRITE_PENDING', '4', 'unfinished commits of a branch at once', integer(1, 64)),
  readBatch: setting(
    'TUSK_READ_BATCH',
    'on',
    'off: small objects are read one by one, and none before it is asked for',
    onOff,
  ),
  bufferBytes: setting(
    'TUSK_BUFFER_BYTES',
    '67108864',
    'bodies that a worker holds in memory at once',
    integer(4 << 20, 2 ** 40),
  ),
  contentCacheBytes: setting(
    'TUSK_CONTENT_CACHE_BYTES',
    '67108864',
    'small objects that a worker keeps in memory; 0: none',
    integer(0, 2 ** 40),
  ),
  uploadMaxAgeHours: setting(
    'TUSK_UPLOAD_MAX_AGE_HOURS',
    '24',
    'how long an unfinished multipart upload is kept',
    integer(1, 720),
  ),
  tlsCert: setting(
    'TUSK_TLS_CERT',
    '',
    'PEM file of the certificate chain; with TUSK_TLS_KEY: serve HTTPS',
    (text) => text,
  ),
  tlsKey: setting('TUSK_TLS_KEY', '', 'PEM file of the private key', (text) => text),
  logLevel: setting('TUSK_LOG_LEVEL', 'info', LOG_LEVELS.join(', '), oneOf(LOG_LEVELS)),
  accessLog: setting('TUSK_ACCESS_LOG', 'on', 'a line for each request: on, off', onOff),
  logSample: setting(
    'TUSK_LOG_SAMPLE',
    '1',
    'the part of the requests that get a line, such as 0.01; faults, and answers that took a second or more, always do',
    partOf,
  ),
  metricsBuckets: setting(
    'TUSK_METRICS_BUCKETS',
    '0',
    'how many of the busiest buckets the metrics name; 0: none',
    integer(0, 100),
  ),
  drainMs: setting('TUSK_DRAIN_MS', '30000', 'how long requests in flight may take after SIGTERM', integer(0, 600_000)),
  dataDir: setting('TUSK_DATA', '.tusk', "folder of devpachd's data and of unfinished multipart uploads", nonEmpty),
} as const;

type Values = { readonly [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]['parse']> };

/** What the README's table is made of: each setting's name, default and meaning. */
export const SETTINGS_TABLE: readonly { readonly name: string; readonly fallback: string; readonly about: string }[] =
  Object.values(SETTINGS);

/** Every fault of the environment at once, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads the settings from an environment.
 * @throws ConfigError with one line for each setting that is wrong, for each TUSK_ name that is none, and for each contradiction.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const names = new Set(SETTINGS_TABLE.map(({ name }) => name));
  for (const name of Object.keys(env)) {
    if (name.startsWith('TUSK_') && !names.has(name)) problems.push(`${name}: there is no such setting`);
  }
  const entries = Object.entries(SETTINGS).map(([key, { name, fallback, parse }]) => {
    const given = env[name];
    try {
      return [key, parse(given === undefined || given === '' ? fallback : given.trim())];
    } catch (error) {
      // The value itself may be a secret: only what was expected of it is said.
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return [key, undefined];
    }
  });
  const values = Object.fromEntries(entries) as Values;
  if ((values.tlsCert === '') !== (values.tlsKey === '')) problems.push('TUSK_TLS_CERT and TUSK_TLS_KEY go together');
  if (values.workers > 1 && values.redisUrl === undefined) {
    problems.push('TUSK_WORKERS: more than one worker needs TUSK_REDIS_URL, or one would not see what another wrote');
  }
  if (values.redisUrl !== undefined && values.cacheSecret === '') {
    problems.push('TUSK_CACHE_SECRET: needed with TUSK_REDIS_URL, the same for the whole fleet');
  }
  const telemetry = readTelemetry(env, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const { tlsCert, tlsKey, cacheSecret, ...rest } = values;
  return Object.freeze({
    ...rest,
    telemetry,
    cacheSecret: cacheSecret === '' ? randomBytes(32).toString('hex') : cacheSecret,
    dataDirGiven: (env[SETTINGS.dataDir.name] ?? '') !== '',
    tls: tlsCert === '' ? undefined : { certFile: tlsCert, keyFile: tlsKey },
  });
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

function partOf(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1)) throw new Error('must be a number above 0, up to 1');
  return value;
}

function oneOf<const T extends readonly string[]>(allowed: T): (text: string) => T[number] {
  return (text) => {
    if (!allowed.includes(text)) throw new Error(`must be one of ${allowed.join(', ')}`);
    return text;
  };
}

function onOff(text: string): boolean {
  return oneOf(['on', 'off'])(text) === 'on';
}

function nonEmpty(text: string): string {
  if (text === '') throw new Error('must not be empty');
  return text;
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) throw new Error('must be host:port, such as 127.0.0.1:30600');
  return { host, port };
}

function parsePachd(text: string): readonly PachdAddress[] {
  if (text === '') return [];
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > PACHD_MAX) throw new Error(`must be at most ${PACHD_MAX} addresses; a name may stand for more`);
  const addresses = parts.map((part) => {
    const match = /^(grpcs?):\/\/(.+?)\/?$/.exec(part);
    if (match?.[2] === undefined)
      throw new Error('must be grpc://host:port or grpcs://host:port, several separated by commas');
    return { ...parseAddress(match[2]), tls: match[1] === 'grpcs' };
  });
  const distinct = new Set(addresses.map(({ host, port }) => `${host.toLowerCase()} ${port}`));
  if (distinct.size < addresses.length) throw new Error('must not name an address twice');
  return addresses;
}

function parseSecret(text: string): string {
  if (text !== '' && text.length < 16) throw new Error('must have at least 16 characters');
  return text;
}

function parseDomains(text: string): readonly string[] {
  const domains = text
    .split(',')
    .map((domain) => domain.trim().toLowerCase())
    .filter((domain) => domain !== '');
  for (const domain of domains) {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(domain)) throw new Error('must be host names, separated by commas');
  }
  return domains;
}

/** More of them would be searched for every request of a page. */
const ORIGINS_MAX = 64;
const ORIGIN_STARS_MAX = 2;

function parseOrigins(text: string): readonly string[] {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  if (origins.length > ORIGINS_MAX) throw new Error(`must be at most ${ORIGINS_MAX} origins`);
  for (const origin of origins) {
    if (origin.split('*').length > ORIGIN_STARS_MAX + 1)
      throw new Error(`must have at most ${ORIGIN_STARS_MAX} * in one`);
    if (origin !== '*' && !/^[a-z*][a-z0-9+.*-]*:\/\/[A-Za-z0-9._*[\]:-]+$/.test(origin))
      throw new Error('must be *, or origins such as https://app.example.com, separated by commas');
  }
  return origins;
}
