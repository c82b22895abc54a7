// Writers of small objects, on a devpachd with a real pachd's latencies: with all writes of a branch at one worker, or at any.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../infra/cluster/cluster.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { workersOf } from '../../services/gateway/test/support/status.ts';
import { withFleet } from '../bench/fleet-cluster.ts';
import { newAgent, put } from '../bench/writes-gateways.ts';
import type { Writes } from './figures.ts';
import { type Idle, idleOf, taken } from './taken.ts';

const OBJECT_BYTES = 1_024;

interface Case {
  readonly writers: number;
  readonly branches: number;
  readonly spread: Writes['spread'];
  /** Until as many commits are unfinished as may be: before that writes are faster than pachd can go on with. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

const ONE: Case = { writers: 1, branches: 1, spread: 'by branch', warmUpSeconds: 4, seconds: 8 };
const FEW: Case = { ...ONE, writers: 8 };
const MANY: Case = { ...ONE, writers: 64 };
const MANY_TO_ANY: Case = { ...MANY, spread: 'to any' };
const BRANCHES: Case = { ...MANY, branches: 4, warmUpSeconds: 12, seconds: 18 };

const FLEETS = [
  { gateways: 1, workers: 1, cases: [ONE, FEW, MANY, BRANCHES] },
  { gateways: 1, workers: 2, cases: [FEW, MANY, MANY_TO_ANY] },
  { gateways: 2, workers: 2, cases: [FEW, MANY, MANY_TO_ANY, BRANCHES] },
];

export async function measureWrites(): Promise<readonly Writes[]> {
  const measured: Writes[] = [];
  for (const { cases, ...fleet } of FLEETS) {
    await withFleet({ ...fleet, pachds: 1, pachdArgs: ['--latency', 'real'] }, async (cluster) => {
      const idle = await idleOf(cluster);
      for (const [number, one] of cases.entries()) {
        const figures = await measure(cluster, idle, one, `case-${number}`);
        measured.push({ workers: fleet.gateways * fleet.workers, ...figures });
      }
    });
  }
  return measured;
}

async function measure(cluster: Cluster, idle: Idle, one: Case, name: string): Promise<Omit<Writes, 'workers'>> {
  const { writers, branches, spread, warmUpSeconds, seconds } = one;
  const buckets = Array.from({ length: branches }, (_, branch) => `master.${name}-${branch}.default`);
  for (const bucket of buckets) {
    const { status } = await send(cluster.url, 'PUT', `/${bucket}`);
    if (status !== 200) throw new Error(`PUT /${bucket} answered ${status}`);
  }
  const workers = cluster.gateways.flatMap(({ workerUrls }) => workerUrls);
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const agent = newAgent(writers);
  const body = sampleBytes(OBJECT_BYTES);
  let written = 0;
  const writer = async (number: number): Promise<void> => {
    const url = (spread === 'by branch' ? undefined : workers[number % workers.length]) ?? cluster.url;
    for (let count = 0; !over.signal.aborted; count++) {
      const path = `/${buckets[number % branches]}/${number}/${count}`;
      const status = await put(agent, url, path, body, over.signal);
      if (status === 200) written += 1;
      else if (!over.signal.aborted) throw new Error(`PUT ${path} answered ${status}`);
    }
  };
  const all = Promise.all(Array.from({ length: writers }, (_, number) => writer(number)));
  // One that fails ends the measurement at once.
  const during = async (wait: number) => void (await Promise.race([sleep(wait * 1_000), all]));
  await during(warmUpSeconds);
  const { commits, ...costs } = await taken(cluster, idle, async () => {
    const before = written;
    await during(seconds);
    return written - before;
  });
  over.abort();
  await all;
  agent.destroy();
  await untilIdle(cluster);
  const commitsPer1000 = (commits / (costs.perSecond * seconds)) * 1_000;
  return { writers, branches, spread, ...costs, commitsPer1000 };
}

async function untilIdle({ gateways }: Cluster): Promise<void> {
  await eventually(
    'every commit is finished',
    async () => (await Promise.all(gateways.map(workersOf))).flat(),
    (workers) => workers.every(({ requestsInFlight, unfinishedCommits }) => requestsInFlight + unfinishedCommits === 0),
  );
}
