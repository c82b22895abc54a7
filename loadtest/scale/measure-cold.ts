// Reads of objects that nobody has read before, on a devpachd with a real pachd's latencies.
import type { Cluster } from '../../infra/cluster/cluster.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { connectPachd } from '../../services/gateway/test/support/pachd.ts';
import { withFleet } from '../bench/fleet-cluster.ts';
import { fetchBytes, newAgent, rateOf } from '../bench/reads-setup.ts';
import { COLD_READERS_PER_GATEWAY, READERS_IN_ALL } from './assumed.ts';
import type { ColdReads } from './figures.ts';
import { createRandom } from './random.ts';
import { idleOf, taken } from './taken.ts';

const REPO = { project: 'default', repo: 'cold' } as const;
const BUCKET = 'master.cold.default';
const OBJECTS = 1_500;
const OBJECT_BYTES = 1_024;
const SEED = 12_345;

interface Case {
  readonly readers: number;
  readonly order: ColdReads['order'];
}

const ALL: Case = { readers: READERS_IN_ALL, order: 'any' };
const ASCENDING: Case = { readers: READERS_IN_ALL, order: 'ascending' };
/** As many readers in all, and as many of each worker: with four workers these are the same. Each case reads a folder of its own. */
const FLEETS: readonly { readonly gateways: number; readonly workers: number; readonly cases: readonly Case[] }[] = [
  { gateways: 1, workers: 1, cases: [{ ...ALL, readers: COLD_READERS_PER_GATEWAY }, ALL, ASCENDING] },
  { gateways: 1, workers: 2, cases: [{ ...ALL, readers: 2 * COLD_READERS_PER_GATEWAY }, ALL, ASCENDING] },
  { gateways: 2, workers: 2, cases: [ALL, ASCENDING] },
];

export async function measureColdReads(): Promise<readonly ColdReads[]> {
  const measured: ColdReads[] = [];
  for (const { cases, ...fleet } of FLEETS) {
    await withFleet({ ...fleet, pachds: 1, pachdArgs: ['--latency', 'real'] }, async (cluster) => {
      await prepare(cluster, cases);
      const idle = await idleOf(cluster);
      for (const one of cases) {
        const { commits: _, ...costs } = await taken(cluster, idle, () => readAll(cluster.url, one));
        measured.push({ workers: fleet.gateways * fleet.workers, ...one, ...costs });
      }
    });
  }
  return measured;
}

async function prepare({ pachds: [first] }: Cluster, cases: readonly Case[]): Promise<void> {
  const pachd = connectPachd(first?.address ?? '');
  await pachd.createRepo(REPO);
  const files = cases.flatMap((one) => pathsOf(one).map((path) => [path, sampleBytes(OBJECT_BYTES, path)] as const));
  await pachd.putFiles({ ...REPO, branch: 'master' }, Object.fromEntries(files));
  pachd.close();
}

const pathsOf = ({ readers, order }: Case): readonly string[] =>
  Array.from({ length: OBJECTS }, (_, at) => `${order}-${readers}/${String(at).padStart(6, '0')}`);

async function readAll(url: string, one: Case): Promise<number> {
  const agent = newAgent(one.readers);
  const paths = one.order === 'any' ? shuffled(pathsOf(one)) : pathsOf(one);
  await rateOf(paths, one.readers, async (path) => {
    const bytes = await fetchBytes(agent, `${url}/${BUCKET}/${path}`, 'GET');
    if (bytes !== OBJECT_BYTES) throw new Error(`${path} has ${bytes} bytes`);
  });
  agent.destroy();
  return OBJECTS;
}

function shuffled(paths: readonly string[]): readonly string[] {
  const random = createRandom(SEED);
  return paths
    .map((path) => ({ path, at: random.uniform() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ path }) => path);
}
