// How much Redis is asked for each kind of request.
import { type Cluster, ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { runCommand, sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { type SendOptions, send } from '../../services/gateway/test/support/http.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { BUCKET } from './fleet-cluster.ts';

const AT_ONCE = [1, 64];
const REQUESTS = 384;
const OBJECT_BYTES = 1024;

export interface Commands {
  readonly operation: string;
  readonly atOnce: number;
  readonly scriptsPerRequest: number;
  /** Those that a worker sent in one write to its socket. */
  readonly scriptsPerWrite: number;
}

const OPERATIONS: Readonly<Record<string, (number: number) => readonly [string, string, SendOptions]>> = {
  GET: () => ['GET', `/${BUCKET}/commands/0`, {}],
  LIST: () => [
    'GET',
    `/${BUCKET}`,
    {
      query: [
        ['list-type', '2'],
        ['prefix', 'commands/'],
      ],
    },
  ],
  PUT: (number) => ['PUT', `/${BUCKET}/commands/${number}`, { body: sampleBytes(OBJECT_BYTES) }],
};

/** The objects that are read are warm. */
export async function measureCommands(cluster: Cluster): Promise<readonly Commands[]> {
  const key = keyOf(ROOT_TOKEN);
  const ask = async (operation: string, number: number): Promise<void> => {
    const [method, path, options] = OPERATIONS[operation]?.(number) ?? ['', '', {}];
    const { status } = await send(cluster.url, method, path, { ...options, key });
    if (status !== 200) throw new Error(`${method} ${path} answered ${status}`);
  };
  const measured: Commands[] = [];
  await ask('PUT', 0);
  for (const operation of Object.keys(OPERATIONS)) {
    for (const atOnce of AT_ONCE) {
      let next = 0;
      const client = async (until: number): Promise<void> => {
        while (next < until) await ask(operation, next++);
      };
      await client(atOnce);
      const before = await redisCounts(cluster);
      const first = next;
      await Promise.all(Array.from({ length: atOnce }, () => client(first + REQUESTS)));
      const after = await redisCounts(cluster);
      const scripts = after.scripts - before.scripts;
      measured.push({
        operation,
        atOnce,
        scriptsPerRequest: scripts / (next - first),
        scriptsPerWrite: scripts / (after.writes - before.writes),
      });
    }
  }
  return measured;
}

/** Scripts as Redis has counted them, and writes as the workers have. */
async function redisCounts({ redis, gateways }: Cluster) {
  const port = redis.address.split(':')[1] ?? '';
  const { code, stdout, stderr } = await runCommand('redis-cli', ['-p', port, 'info', 'commandstats']);
  if (code !== 0) throw new Error(`redis-cli: ${stderr}`);
  let writes = 0;
  for (const { adminUrl } of gateways) {
    const { workers } = (await (await fetch(`${adminUrl}/status.json`)).json()) as {
      workers: readonly { readonly redis: { readonly writes: number } }[];
    };
    for (const worker of workers) writes += worker.redis.writes;
  }
  return { scripts: Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stdout)?.[1] ?? 0), writes };
}
