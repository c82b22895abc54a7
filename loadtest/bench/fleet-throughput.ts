// Signed GETs of 1 KB by wrk, at one worker that is alone and at fleets of 1, 2 and 4 workers, in turns.
import { type Cluster, ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { startTusk } from '../../services/gateway/test/support/tusk.ts';
import { median } from './figures.ts';
import { BUCKET, withFleet } from './fleet-cluster.ts';
import { processorMs } from './fleet-cpu.ts';
import { fieldsOf, runWrk, signedGet, summarise, type Throughput } from './wrk.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 2;
const OBJECT_BYTES = 1024;
const PATH = `/${BUCKET}/object.bin`;
const KEY = keyOf(ROOT_TOKEN);

export interface Served extends Throughput {
  readonly target: string;
  /** What a request costs of the processors, in microseconds, by who works for it. */
  readonly costUs: ReadonlyMap<string, number>;
}

interface Target {
  readonly name: string;
  readonly url: string;
  /** Whose work is looked at. */
  readonly pids: ReadonlyMap<string, readonly number[]>;
}

/** The first one is alone, and has in its memory what the others ask Redis for. */
export async function measureThroughput(): Promise<readonly Served[]> {
  const tusk = await startTusk({ auth: true });
  const alone = {
    name: 'one worker, its cache in memory',
    url: tusk.url,
    pids: new Map([['gateways', [tusk.program.pid]]]),
  };
  try {
    return await withFleet({ auth: true, gateways: 1, workers: 1 }, (one) =>
      withFleet({ auth: true, gateways: 1, workers: 2 }, (two) =>
        withFleet({ auth: true, gateways: 2, workers: 2 }, (four) =>
          inTurns([
            alone,
            { ...balanced('one worker, Redis asked each time', one), url: one.gateways[0]?.workerUrls[0] ?? '' },
            balanced('HAProxy, 1 worker', one),
            balanced('HAProxy, 2 workers', two),
            balanced('HAProxy, 4 workers', four),
          ]),
        ),
      ),
    );
  } finally {
    await tusk.stop();
  }
}

function balanced(name: string, { url, gateways, haproxy, redis }: Cluster): Target {
  return {
    name,
    url,
    pids: new Map([
      ['gateways', gateways.map((gateway) => gateway.pid())],
      ['Redis', [redis.pid()]],
      ['HAProxy', [haproxy.pid()]],
    ]),
  };
}

async function inTurns(targets: readonly Target[]): Promise<readonly Served[]> {
  for (const { url } of targets) {
    const { status } = await send(url, 'PUT', PATH, { key: KEY, body: sampleBytes(OBJECT_BYTES) });
    if (status !== 200) throw new Error(`PUT answered ${status}`);
    await load(url, WARM_UP_SECONDS);
  }
  const rounds = new Map(targets.map((target) => [target, [] as Served[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) rounds.get(target)?.push(await serve(target));
  }
  return [...rounds].map(([target, served]) => ({
    ...summarise(served),
    target: target.name,
    costUs: new Map(
      [...target.pids.keys()].map((who) => [who, median(served.map(({ costUs }) => costUs.get(who) ?? Number.NaN))]),
    ),
  }));
}

async function serve({ name, url, pids }: Target): Promise<Served> {
  const worked = () =>
    new Map([...pids].map(([who, its]) => [who, its.reduce((sum, pid) => sum + processorMs(pid), 0)]));
  const before = worked();
  const throughput = await load(url, ROUND_SECONDS);
  const requests = throughput.requestsPerSecond * ROUND_SECONDS;
  const costUs = new Map(
    [...worked()].map(([who, ms]) => [who, ((ms - (before.get(who) ?? Number.NaN)) * 1000) / requests]),
  );
  return { ...throughput, target: name, costUs };
}

async function load(url: string, seconds: number): Promise<Throughput> {
  return runWrk(url + PATH, { connections: CONNECTIONS, seconds, args: fieldsOf(await signedGet(url, PATH, KEY)) });
}
