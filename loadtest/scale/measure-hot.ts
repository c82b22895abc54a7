// Reads of one object that every worker has in its memory, through the load balancer, by wrk.
import { type Cluster, ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { median } from '../bench/figures.ts';
import { BUCKET, withFleet } from '../bench/fleet-cluster.ts';
import { fieldsOf, runWrk, signedGet } from '../bench/wrk.ts';
import { type HotReads, type Taken, WHO, type Who } from './figures.ts';
import { type Idle, idleOf, taken } from './taken.ts';

const READERS = [8, 32, 128];
const ROUNDS = 3;
const ROUND_SECONDS = 3;
const ROUND_TRIES = 3;
const WARM_UP_SECONDS = 2;
const OBJECT_BYTES = 1_024;
const PATH = `/${BUCKET}/object.bin`;
const KEY = keyOf(ROOT_TOKEN);

/** Fleets of 1, 2 and 4 workers in turns, so that whatever else the machine does meets all of them. */
export function measureHotReads(): Promise<readonly HotReads[]> {
  return withFleet({ auth: true, gateways: 1, workers: 1 }, (one) =>
    withFleet({ auth: true, gateways: 1, workers: 2 }, (two) =>
      withFleet({ auth: true, gateways: 2, workers: 2 }, (four) =>
        inTurns(
          new Map([
            [1, one],
            [2, two],
            [4, four],
          ]),
        ),
      ),
    ),
  );
}

async function inTurns(fleets: ReadonlyMap<number, Cluster>): Promise<readonly HotReads[]> {
  for (const { url } of fleets.values()) {
    const { status } = await send(url, 'PUT', PATH, { key: KEY, body: sampleBytes(OBJECT_BYTES) });
    if (status !== 200) throw new Error(`PUT answered ${status}`);
    await load(url, Math.max(...READERS), WARM_UP_SECONDS);
  }
  const idle = new Map<Cluster, Idle>();
  for (const cluster of fleets.values()) idle.set(cluster, await idleOf(cluster));
  const cases = READERS.flatMap((readers) => [...fleets.keys()].map((workers) => ({ workers, readers })));
  const rounds = new Map(cases.map((one) => [one, [] as Taken[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [{ workers, readers }, all] of rounds) {
      const cluster = fleets.get(workers);
      const atRest = cluster && idle.get(cluster);
      if (cluster === undefined || atRest === undefined) throw new Error(`no fleet of ${workers} workers`);
      all.push(await whole(() => taken(cluster, atRest, () => load(cluster.url, readers, ROUND_SECONDS))));
    }
  }
  return [...rounds].map(([one, all]) => ({ ...one, ...medianOf(all) }));
}

function medianOf(rounds: readonly Taken[]): Taken {
  const of = (value: (round: Taken) => number) => median(rounds.map(value));
  const costs = WHO.map((who) => [who, of(({ costUs }) => costUs[who])] as const);
  return {
    perSecond: of(({ perSecond }) => perSecond),
    costUs: Object.fromEntries(costs) as Record<Who, number>,
    scripts: of(({ scripts }) => scripts),
    pachdPer1000: of(({ pachdPer1000 }) => pachdPer1000),
    coresOfOthers: of(({ coresOfOthers }) => coresOfOthers),
  };
}

/** A round in which a connection broke is no measurement: it is taken anew. @throws when that does not help */
async function whole(round: () => Promise<Taken>): Promise<Taken> {
  for (let left = ROUND_TRIES; ; left--) {
    try {
      return await round();
    } catch (error) {
      if (left === 1) throw error;
      console.log(`a round is taken anew: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** @returns how many were answered */
async function load(url: string, connections: number, seconds: number): Promise<number> {
  const args = fieldsOf(await signedGet(url, PATH, KEY));
  const { requestsPerSecond } = await runWrk(url + PATH, { connections, seconds, args });
  return requestsPerSecond * seconds;
}
