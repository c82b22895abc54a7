import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from './haproxy.ts';
import { type Member, type MemberSpec, startMember } from './member.ts';
import { freePorts } from './ports.ts';
import { devpachd, gateway, HOST, haproxy, redis } from './programs.ts';

export interface ClusterOptions {
  /** Where all data and logs go. */
  readonly dataDir: string;
  /** Where clients connect, on 127.0.0.1; left out: a free port. */
  readonly port?: number;
  readonly gateways?: number;
  /** Of each gateway. */
  readonly workers?: number;
  readonly pachds?: number;
  /** With auth on in pachd: its root token is ROOT_TOKEN. */
  readonly auth?: boolean;
  /** Further settings of the gateways. */
  readonly gatewayEnv?: Readonly<Record<string, string>>;
  /** Further arguments of each devpachd. */
  readonly pachdArgs?: readonly string[];
  /** What haproxy.cfg takes from the environment. */
  readonly haproxyEnv?: Readonly<Record<string, string>>;
  /** Told of each member that serves. */
  readonly onProgress?: (line: string) => void;
  /** Told of a member that ended by itself, and how. */
  readonly onDeath?: (member: Member, how: string) => void;
}

/** The fleet of docker-compose.yml as processes of this machine. */
export interface Cluster {
  /** Where S3 clients connect: the load balancer. */
  readonly url: string;
  /** The load balancer's /readyz, /metrics and /stats. */
  readonly adminUrl: string;
  readonly logDir: string;
  readonly haproxy: Member;
  readonly redis: Member;
  readonly pachds: readonly Member[];
  readonly gateways: readonly GatewayMember[];
  /** Ends all of it, in the order that loses nothing. */
  stop(): Promise<void>;
}

export interface GatewayMember extends Member {
  /** The port that its workers share. */
  readonly url: string;
  readonly adminUrl: string;
  /** Each worker's own port. */
  readonly workerUrls: readonly string[];
}

/** What devpachd takes for the root of a cluster with auth on. */
export const ROOT_TOKEN = 'iamroot';

/**
 * Starts the fleet and waits until it serves. dist/ must be built, HAProxy and redis-server installed.
 * @throws Error with one line that says which member cannot start; nothing runs then
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDir, gateways = 2, workers = 2, pachds = 2 } = options;
  const logDir = join(dataDir, 'logs');
  await mkdir(logDir, { recursive: true });
  const ports = await choosePorts(gateways, workers, pachds);
  const listen = options.port ?? ports.listen;
  const members: Member[] = [];

  async function start(spec: Omit<MemberSpec, 'logFile'>): Promise<Member> {
    const startedMs = Date.now();
    const logFile = join(logDir, `${spec.name}.log`);
    const member = await startMember({ ...spec, logFile }, (how) => options.onDeath?.(member, how));
    members.push(member);
    options.onProgress?.(`${spec.name} serves on ${spec.address} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
    return member;
  }

  try {
    // The first devpachd makes what is in the data folder at first.
    const pachdMembers: Member[] = [];
    const pachdArgs = [...(options.auth ? ['--auth'] : []), ...(options.pachdArgs ?? [])];
    for (const [index, port] of ports.pachds.entries()) {
      pachdMembers.push(await start(devpachd(`devpachd-${index + 1}`, port, join(dataDir, 'pachd'), pachdArgs)));
    }
    const redisMember = await start(redis(ports.redis));

    const fleetEnv = {
      TUSK_PACHD: pachdMembers.map(({ address }) => `grpc://${address}`).join(','),
      TUSK_REDIS_URL: `redis://${redisMember.address}`,
      TUSK_CACHE_SECRET: randomBytes(32).toString('hex'),
      TUSK_WORKERS: String(workers),
      ...options.gatewayEnv,
    };
    const gatewayMembers: GatewayMember[] = [];
    for (const [index, own] of ports.gateways.entries()) {
      const name = `gateway-${index + 1}`;
      const member = await start(gateway(name, own, join(dataDir, name), fleetEnv));
      gatewayMembers.push({
        ...member,
        url: urlOf(own.shared),
        adminUrl: urlOf(own.admin),
        workerUrls: row(own.worker, workers).map(urlOf),
      });
    }

    const balanced = ports.gateways.flatMap((own, index) => workersOf(`gateway-${index + 1}`, own, workers));
    const configFile = join(dataDir, 'haproxy.cfg');
    const haproxyMember = await start(
      await haproxy({ listen, admin: ports.haproxyAdmin }, balanced, configFile, options.haproxyEnv),
    );
    return {
      url: urlOf(listen),
      adminUrl: urlOf(ports.haproxyAdmin),
      logDir,
      haproxy: haproxyMember,
      redis: redisMember,
      pachds: pachdMembers,
      gateways: gatewayMembers,
      async stop() {
        await haproxyMember.stop();
        await Promise.all(gatewayMembers.map((member) => member.stop()));
        await Promise.all([...pachdMembers, redisMember].map((member) => member.stop()));
      },
    };
  } catch (error) {
    await Promise.all(members.map((member) => member.kill()));
    throw error;
  }
}

/** All in a row, so that one look at the machine is enough. */
async function choosePorts(gateways: number, workers: number, pachds: number) {
  const perGateway = 2 + workers;
  const first = await freePorts(3 + pachds + gateways * perGateway);
  const firstPachd = first + 3;
  const firstGateway = firstPachd + pachds;
  return {
    listen: first,
    haproxyAdmin: first + 1,
    redis: first + 2,
    pachds: row(firstPachd, pachds),
    gateways: Array.from({ length: gateways }, (_, index) => {
      const shared = firstGateway + index * perGateway;
      return { shared, admin: shared + 1, worker: shared + 2 };
    }),
  };
}

function workersOf(name: string, own: { readonly admin: number; readonly worker: number }, workers: number): Worker[] {
  return row(own.worker, workers).map((port, number) => ({
    name: `${name}-worker-${number}`,
    host: HOST,
    port,
    adminPort: own.admin,
  }));
}

function row(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

function urlOf(port: number): string {
  return `http://${HOST}:${port}`;
}
