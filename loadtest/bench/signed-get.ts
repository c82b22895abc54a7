// A signed GET of 1 KB by wrk, through tusk on one worker and through the floor, in turns, so that whatever else the
// machine does meets both.
import { freshBucket } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { startNode } from '../../services/gateway/test/support/program.ts';
import { type Key, keyOf } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN, startTusk } from '../../services/gateway/test/support/tusk.ts';
import { fieldsOf, runWrk, signedGet, summarise, type Throughput } from './wrk.ts';

const OBJECT_BYTES = 1024;
const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 2;

export interface SignedGetResult {
  readonly tusk: Throughput;
  readonly floor: Throughput;
  /** tusk's requests a second as a part of the floor's. */
  readonly ratio: number;
}

/** Measures both. @throws when an answer is not the object: a fast error is no throughput. */
export async function measureSignedGet(): Promise<SignedGetResult> {
  const key = keyOf(ROOT_TOKEN);
  const tusk = await startTusk({ auth: true });
  try {
    const bucket = await freshBucket(tusk, key);
    const path = `/${bucket}/object.bin`;
    await send(tusk.url, 'PUT', path, { key, body: sampleBytes(OBJECT_BYTES) });
    const object = await send(tusk.url, 'GET', path, { key });
    const own = new Set(['content-length', 'connection', 'date', 'transfer-encoding', 'keep-alive']);
    const fields = Object.entries(object.headers).filter(([name]) => !own.has(name));
    const floor = startNode('loadtest/bench/floor.ts', {
      args: [object.body.toString('base64'), JSON.stringify(fields)],
    });
    try {
      const port = await floor.message((message) => (message as { port?: number }).port);
      return await inTurns(tusk.url, `http://127.0.0.1:${port}`, path, key, object.body);
    } finally {
      await floor.stop();
    }
  } finally {
    await tusk.stop();
  }
}

async function inTurns(
  tuskUrl: string,
  floorUrl: string,
  path: string,
  key: Key,
  body: Buffer,
): Promise<SignedGetResult> {
  const results: Readonly<Record<'tusk' | 'floor', Throughput[]>> = { tusk: [], floor: [] };
  for (const url of [tuskUrl, floorUrl]) {
    const answer = await send(url, 'GET', path, { key });
    if (answer.status !== 200 || !answer.body.equals(body)) throw new Error(`${url} answers ${answer.status}`);
    await load(url, path, key, WARM_UP_SECONDS);
  }
  for (let round = 0; round < ROUNDS; round++) {
    results.tusk.push(await load(tuskUrl, path, key, ROUND_SECONDS));
    results.floor.push(await load(floorUrl, path, key, ROUND_SECONDS));
  }
  const [tusk, floor] = [summarise(results.tusk), summarise(results.floor)];
  return { tusk, floor, ratio: tusk.requestsPerSecond / floor.requestsPerSecond };
}

async function load(url: string, path: string, key: Key, seconds: number): Promise<Throughput> {
  const args = fieldsOf(await signedGet(url, path, key));
  return runWrk(url + path, { connections: CONNECTIONS, seconds, args });
}
