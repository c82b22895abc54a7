import { randomBytes } from 'node:crypto';
import { eventually } from './eventually.ts';
import { freePort, type RedisServer, type RedisServerOptions, startRedis } from './redis.ts';

/** A primary with replicas. */
export interface ReplicatedRedis {
  readonly primary: RedisServer;
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

export interface SentinelRedis extends ReplicatedRedis {
  readonly name: string;
  /** redis+sentinel:// */
  readonly url: string;
  /** Makes the Sentinels promote a replica, and waits until they say that they have. @returns the new primary */
  failOver(): Promise<RedisServer>;
  /** Who the Sentinels say is the primary. */
  primaryNow(): Promise<RedisServer>;
  /** Waits until the Sentinels say that another server is the primary. */
  otherPrimary(than: RedisServer): Promise<RedisServer>;
}

export interface ClusterRedis {
  readonly nodes: readonly RedisServer[];
  /** redis+cluster:// */
  readonly url: string;
  /** The primary that has a slot. */
  ownerOf(slot: number): Promise<RedisServer>;
  /** Gives a slot with all its keys to another primary. */
  move(slot: number, to: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

type Settings = NonNullable<RedisServerOptions['settings']>;

async function startAll(count: number, options: RedisServerOptions): Promise<RedisServer[]> {
  return Promise.all(Array.from({ length: count }, () => startRedis(options)));
}

async function stopAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

/** Starts a primary and replicas, and waits until these have all that it has. @param settings of each of them */
export async function startReplicated(
  replicaCount: number,
  password?: string,
  settings: Settings = {},
): Promise<ReplicatedRedis> {
  const secret = password === undefined ? {} : { password };
  const primary = await startRedis({ ...secret, settings });
  const replicas = await startAll(replicaCount, {
    ...secret,
    settings: { ...settings, replicaof: `127.0.0.1 ${primary.port}` },
  });
  // They say how far they are once there is something to have; and what needs replicas is refused before there are any.
  await eventually(
    'there is something to have',
    () => primary.cli('set', 'something', 'to have').catch(String),
    (answer) => answer === 'OK',
  );
  await eventually(
    'the replicas have caught up',
    () => primary.cli('info', 'replication'),
    (info) => (info.match(/state=online,offset=[1-9]/g) ?? []).length === replicaCount,
  );
  return { primary, replicas, stop: () => stopAll([primary, ...replicas]) };
}

/**
 * A primary, replicas and Sentinels, with a password each.
 * @param downAfterMs the silence that the Sentinels take for a failure @param settings of the servers
 */
export async function startSentinel(
  replicaCount: number,
  sentinelCount: number,
  { downAfterMs = 500, settings = {} }: { readonly downAfterMs?: number; readonly settings?: Settings } = {},
): Promise<SentinelRedis> {
  const servers = await startReplicated(replicaCount, 'of-servers', settings);
  const name = `primary-${randomBytes(3).toString('hex')}`;
  const sentinels = await startAll(sentinelCount, {
    sentinel: true,
    password: 'of-sentinels',
    settings: { 'sentinel sentinel-pass': 'of-sentinels' },
  });
  const quorum = Math.floor(sentinelCount / 2) + 1;
  for (const sentinel of sentinels) {
    await sentinel.cli('sentinel', 'monitor', name, '127.0.0.1', String(servers.primary.port), String(quorum));
    await sentinel.cli(
      'sentinel',
      'set',
      name,
      'down-after-milliseconds',
      String(downAfterMs),
      'failover-timeout',
      '5000',
      'auth-pass',
      'of-servers',
    );
  }
  const all = [servers.primary, ...servers.replicas];
  const [first] = sentinels;
  if (first === undefined) throw new Error('no Sentinels');
  const primaryNow = async (): Promise<RedisServer> => {
    const [, port] = (await first.cli('sentinel', 'get-master-addr-by-name', name)).split('\n');
    const found = all.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`the Sentinels name port ${port}`);
    return found;
  };
  const known = async (field: string): Promise<number> => {
    const lines = (await first.cli('sentinel', 'master', name)).split('\n');
    return Number(lines[lines.indexOf(field) + 1]);
  };
  await eventually(
    'the Sentinels know the replicas',
    () => known('num-slaves'),
    (count) => count === replicaCount,
  );
  await eventually(
    'and each other',
    () => known('num-other-sentinels'),
    (count) => count === sentinelCount - 1,
  );
  const otherPrimary = (than: RedisServer) =>
    eventually('another server is the primary', primaryNow, (server) => server.port !== than.port);

  const hosts = sentinels.map(({ host, port }) => `${host}:${port}`).join(',');
  return {
    ...servers,
    name,
    url: `redis+sentinel://:of-servers@${hosts}/${name}?sentinel-password=of-sentinels`,
    primaryNow,
    otherPrimary,
    async failOver() {
      const before = await primaryNow();
      await eventually(
        'the Sentinels begin a failover',
        () => first.cli('sentinel', 'failover', name).catch((error: unknown) => String(error)),
        (answer) => answer === 'OK' || answer.includes('INPROG'),
      );
      return otherPrimary(before);
    },
    stop: () => stopAll([...all, ...sentinels]),
  };
}

/** A cluster of three primaries, each with replicas, that takes a second of silence for a failure. @param each of what each of them has */
export async function startCluster(
  replicasEach: number,
  each: Pick<RedisServerOptions, 'settings' | 'tls'> = {},
): Promise<ClusterRedis> {
  const settings = {
    ...each.settings,
    ...(each.tls === undefined ? {} : { 'tls-cluster': 'yes', 'tls-replication': 'yes' }),
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': '1000',
    // Slots whose primary is alive go on when others have none.
    'cluster-require-full-coverage': 'no',
  };
  const nodes: RedisServer[] = [];
  // The bus has a port of its own, by default one that may not exist.
  for (let index = 0; index < 3 * (1 + replicasEach); index++) {
    nodes.push(await startRedis({ ...each, settings: { ...settings, 'cluster-port': String(await freePort()) } }));
  }
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
  const [first] = nodes;
  if (first === undefined) throw new Error('no nodes');
  await first.cli('--cluster', 'create', ...addresses, '--cluster-replicas', String(replicasEach), '--cluster-yes');
  for (const node of nodes) {
    await eventually(
      'every node knows that the cluster is whole',
      () => node.cli('cluster', 'info'),
      (info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`),
    );
    await eventually(
      'and has all replicas',
      async () => ((await first.cli('cluster', 'nodes')).match(/ slave /g) ?? []).length,
      (count) => count === 3 * replicasEach,
    );
  }
  const idOf = (node: RedisServer) => node.cli('cluster', 'myid');

  const ownerOf = async (slot: number): Promise<RedisServer> => {
    for (const node of nodes) {
      // CLUSTER NODES of any that is alive: id, address, flags, its primary, three times, the link's state, slots.
      const table = await node.cli('cluster', 'nodes').catch(() => '');
      for (const line of table.split('\n')) {
        const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ');
        const has = ranges.some((range) => {
          const [from, to = from] = range.split('-').map(Number);
          return slot >= from! && slot <= to!;
        });
        const owner = nodes.find(({ port }) => port === Number(address.split(/[:@]/)[1]));
        if (has && !flags.includes('fail') && owner !== undefined) return owner;
      }
    }
    throw new Error(`nobody has slot ${slot}`);
  };

  return {
    nodes,
    url: each.tls
      ? `rediss+cluster://${addresses.join(',')}?ca=${encodeURIComponent(each.tls.caFile)}`
      : `redis+cluster://${addresses.join(',')}`,
    ownerOf,
    async move(slot, to) {
      const from = await ownerOf(slot);
      const [fromId, toId] = [await idOf(from), await idOf(to)];
      await to.cli('cluster', 'setslot', String(slot), 'importing', fromId);
      await from.cli('cluster', 'setslot', String(slot), 'migrating', toId);
      for (;;) {
        const keys = (await from.cli('cluster', 'getkeysinslot', String(slot), '100')).split('\n').filter(Boolean);
        if (keys.length === 0) break;
        await from.cli('migrate', to.host, String(to.port), '', '0', '5000', 'keys', ...keys);
      }
      for (const node of [to, from]) await node.cli('cluster', 'setslot', String(slot), 'node', toId);
    },
    stop: () => stopAll(nodes),
  };
}
