// Signed GETs of 1 KB by wrk, at one worker that is alone and at fleets of 1, 2 and 4 workers, in turns.
import { type Cluster, ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { startTusk } from '../../services/gateway/test/support/tusk.ts';
import { BUCKET, withFleet } from './fleet-cluster.ts';
import { fieldsOf, runWrk, signedGet, summarise, type Throughput } from './wrk.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 2;
const OBJECT_BYTES = 1024;
const PATH = `/${BUCKET}/object.bin`;

export interface Target {
  readonly name: string;
  readonly result: Throughput;
}

/** The first one is alone, and has in its memory what the others ask Redis for. */
export async function measureThroughput(): Promise<readonly Target[]> {
  const alone = await startTusk({ auth: true });
  try {
    return await withFleet({ auth: true, gateways: 1, workers: 1 }, (one) =>
      withFleet({ auth: true, gateways: 1, workers: 2 }, (two) =>
        withFleet({ auth: true, gateways: 2, workers: 2 }, (four) => inTurns(targetsOf(alone.url, one, two, four))),
      ),
    );
  } finally {
    await alone.stop();
  }
}

function targetsOf(alone: string, one: Cluster, two: Cluster, four: Cluster): ReadonlyMap<string, string> {
  return new Map([
    ['one worker, its cache in memory', alone],
    ['one worker, Redis asked each time', one.gateways[0]?.workerUrls[0] ?? ''],
    ['HAProxy, 1 worker', one.url],
    ['HAProxy, 2 workers', two.url],
    ['HAProxy, 4 workers', four.url],
  ]);
}

async function inTurns(targets: ReadonlyMap<string, string>): Promise<readonly Target[]> {
  const key = keyOf(ROOT_TOKEN);
  const load = async (url: string, seconds: number) =>
    runWrk(url + PATH, { connections: CONNECTIONS, seconds, args: fieldsOf(await signedGet(url, PATH, key)) });
  for (const url of targets.values()) {
    const { status } = await send(url, 'PUT', PATH, { key, body: sampleBytes(OBJECT_BYTES) });
    if (status !== 200) throw new Error(`PUT answered ${status}`);
    await load(url, WARM_UP_SECONDS);
  }
  const rounds = new Map([...targets.keys()].map((name) => [name, [] as Throughput[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, url] of targets) rounds.get(name)?.push(await load(url, ROUND_SECONDS));
  }
  return [...rounds].map(([name, results]) => ({ name, result: summarise(results) }));
}
