/** Where Redis is and who tusk is there: the parsed form of TUSK_REDIS_URL. */
export type RedisUrl = SingleRedis | SentinelRedis | ClusterRedis;

interface Access {
  /** Users of Redis' ACL; a password without a user is the default user's. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** `caFile`: a PEM file of whom to believe instead of the system's authorities. */
  readonly tls: { readonly caFile: string | undefined } | undefined;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export interface SingleRedis extends Access {
  readonly kind: 'single';
  readonly address: RedisAddress;
  readonly database: number;
}

export interface SentinelRedis extends Access {
  readonly kind: 'sentinel';
  /** Any of the Sentinels; the others are asked of them. */
  readonly sentinels: readonly RedisAddress[];
  /** What the Sentinels call the primary and its replicas. */
  readonly name: string;
  readonly database: number;
  readonly sentinelUser: string | undefined;
  readonly sentinelPassword: string | undefined;
}

export interface ClusterRedis extends Access {
  readonly kind: 'cluster';
  /** Any of the nodes; the others are asked of them. */
  readonly nodes: readonly RedisAddress[];
}

const FORMS =
  'redis://host:port/database, redis+sentinel://host:port,host:port/name or redis+cluster://host:port,host:port; rediss for TLS';
const QUERY: Readonly<Record<RedisUrl['kind'], readonly string[]>> = {
  single: ['ca'],
  sentinel: ['ca', 'db', 'sentinel-user', 'sentinel-password'],
  cluster: ['ca'],
};
const PORT = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

/**
 * Reads a URL of Redis. `user:password@` before the hosts is for the servers, percent-encoded; in the query: `ca`, a PEM file, and for
 * Sentinel `db`, `sentinel-user` and `sentinel-password`.
 * @throws Error that says what was expected and nothing of what was given, since a password is in it
 */
export function parseRedisUrl(text: string): RedisUrl {
  const match = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
    text,
  );
  if (match === null) throw new Error(`must be ${FORMS}`);
  const [, secure, topology, userinfo, hosts = '', path = '', query] = match;
  const kind = topology === 'sentinel' || topology === 'cluster' ? topology : 'single';
  const options = new URLSearchParams(query);
  for (const name of options.keys()) {
    if (!QUERY[kind].includes(name)) throw new Error(`may have in its query: ${QUERY[kind].join(', ')}`);
  }
  const caFile = options.get('ca') ?? undefined;
  if (caFile !== undefined && secure === '') throw new Error('has a ca, but only rediss is TLS');
  const access: Access = { ...parseUserinfo(userinfo), tls: secure === '' ? undefined : { caFile } };
  const addresses = hosts.split(',').map((host) => parseHost(host, PORT[kind]));
  switch (kind) {
    case 'single': {
      const [address] = addresses;
      if (address === undefined || addresses.length > 1)
        throw new Error('must have one host; several are redis+cluster');
      return { ...access, kind, address, database: parseDatabase(path) };
    }
    case 'sentinel':
      if (!/^[\w.-]+$/.test(path)) throw new Error("must end in the primary's name, as the Sentinels know it");
      return {
        ...access,
        kind,
        sentinels: addresses,
        name: path,
        database: parseDatabase(options.get('db') ?? ''),
        sentinelUser: options.get('sentinel-user') ?? undefined,
        sentinelPassword: options.get('sentinel-password') ?? undefined,
      };
    case 'cluster':
      if (path !== '') throw new Error('must have no database: a cluster has only one');
      return { ...access, kind, nodes: addresses };
  }
}

function parseUserinfo(text: string | undefined): Pick<Access, 'user' | 'password'> {
  if (text === undefined || text === '') return { user: undefined, password: undefined };
  const [user = '', password, ...more] = text.split(':').map(decode);
  if (password === undefined || more.length > 0)
    throw new Error('must have user:password@ or :password@ before its host');
  return { user: user === '' ? undefined : user, password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a user or a password that is not percent-encoded');
  }
}

function parseHost(text: string, fallbackPort: number): RedisAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s@]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? fallbackPort);
  if (host === undefined || port < 1 || port > 65_535) throw new Error(`must be ${FORMS}`);
  return { host, port };
}

function parseDatabase(text: string): number {
  if (!/^\d{0,4}$/.test(text)) throw new Error('must have a number as its database');
  return Number(text);
}
