import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type ClusterOptions, startCluster } from '../cluster/cluster.ts';

/** A fleet under test, with what its load balancer says of itself. */
export interface Fleet extends Cluster {
  /** The lines of the load balancer's log that are of requests, oldest first. */
  requests(): Promise<readonly BalancedRequest[]>;
  /** Everything in the load balancer's log, as it is. */
  balancerLog(): Promise<string>;
  /** What the load balancer thinks of the workers, by its backend and their name. */
  servers(): Promise<readonly BalancedServer[]>;
}

export interface BalancedRequest {
  readonly requestId: string;
  readonly gatewayId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  readonly backend: string;
  readonly server: string;
}

export interface BalancedServer {
  readonly backend: string;
  readonly name: string;
  readonly isUp: boolean;
  /** What it has of the weight of others at this moment; WEIGHT_FULL when it has been there for a while. */
  readonly weight: number;
}

export const WEIGHT_FULL = 16;

export async function startFleet(options: Omit<ClusterOptions, 'dataDir'> = {}): Promise<Fleet> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-fleet-'));
  const cluster = await startCluster({ ...options, dataDir });
  const balancerLog = () => readFile(cluster.haproxy.logFile, 'utf8');
  return {
    ...cluster,
    balancerLog,
    requests: async () => requestsIn(await balancerLog()),
    servers: async () => serversIn(await (await fetch(`${cluster.adminUrl}/stats;csv`)).text()),
    async stop() {
      await cluster.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function requestsIn(log: string): readonly BalancedRequest[] {
  return log.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as BalancedRequest] : []));
}

/** Source: HAProxy's Management Guide, 9.1 "CSV format". */
function serversIn(csv: string): readonly BalancedServer[] {
  const [head = '', ...lines] = csv.replace(/^# /, '').trimEnd().split('\n');
  const names = head.split(',');
  return lines.flatMap((line) => {
    const values = line.split(',');
    const of = (name: string) => values[names.indexOf(name)] ?? '';
    if (!/^gateway-/.test(of('svname'))) return [];
    return [
      { backend: of('pxname'), name: of('svname'), isUp: of('status').startsWith('UP'), weight: Number(of('weight')) },
    ];
  });
}
