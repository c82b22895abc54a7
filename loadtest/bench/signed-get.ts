// A signed GET of 1 KB by wrk, through tusk on one worker, alone and over Redis, and through the floor, in turns, so that whatever
// else the machine does meets all of them; and through other S3 servers beside them, if that is asked for.
import { freshBucket } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { type Answer, send } from '../../services/gateway/test/support/http.ts';
import { startNode } from '../../services/gateway/test/support/program.ts';
import { startRedis } from '../../services/gateway/test/support/redis.ts';
import { type Key, keyOf } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN, startTusk } from '../../services/gateway/test/support/tusk.ts';
import { median } from './figures.ts';
import { OTHER_SERVERS, startOther } from './other-servers.ts';
import { loadSigned, type Served, summarise } from './wrk.ts';

const CONTENT = sampleBytes(1024);
const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 2;

interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly path: string;
  readonly key: Key;
  stop(): Promise<unknown>;
}

/**
 * Measures them, and prints what each serves and how it compares with the floor.
 * @throws when an answer is not the object: a fast error is no throughput
 */
export async function reportSignedGet(others: boolean): Promise<void> {
  const servers: Server[] = [];
  try {
    const alone = await startGateway('tusk', {});
    servers.push(alone, await startFloor(alone), await startShared());
    if (others) for (const name of OTHER_SERVERS) servers.push(await startWithObject(name));
    const rounds = await inTurns(servers);
    console.log('\nSigned GET of 1 KB, one worker, medians of rounds in turns');
    for (const [name, served] of rounds) {
      const { requestsPerSecond, p50Ms, p99Ms } = summarise(served);
      const us = median(served.map(({ usPerRequest }) => usPerRequest));
      const latency = `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
      const cost = `${us.toFixed(1)} µs of processor time a request`;
      console.log(`  ${name.padEnd(16)} ${Math.round(requestsPerSecond)} requests/s, ${latency}, ${cost}`);
    }
    for (const [name, served] of rounds) {
      const ratio = summarise(served).requestsPerSecond / summarise(rounds.get('floor') ?? []).requestsPerSecond;
      if (name !== 'floor') console.log(`  ${name} / floor: ${ratio.toFixed(2)}`);
    }
  } finally {
    for (const server of servers.reverse()) await server.stop();
  }
}

async function startGateway(name: string, env: Readonly<Record<string, string>>): Promise<Server> {
  const key = keyOf(ROOT_TOKEN);
  const tusk = await startTusk({ auth: true, env });
  const path = `/${await freshBucket(tusk, key)}/object.bin`;
  await send(tusk.url, 'PUT', path, { key, body: CONTENT });
  return { name, url: tusk.url, pid: tusk.program.pid, path, key, stop: tusk.stop };
}

async function startShared(): Promise<Server> {
  const redis = await startRedis();
  const env = { TUSK_REDIS_URL: `redis://127.0.0.1:${redis.port}`, TUSK_CACHE_SECRET: 'of the benchmark' };
  const server = await startGateway('tusk over Redis', env);
  const stop = async () => {
    await server.stop();
    await redis.stop();
  };
  return { ...server, stop };
}

/** The floor answers what the gateway does. */
async function startFloor({ url, path, key }: Server): Promise<Server> {
  const object = await objectOf({ url, path, key });
  const own = new Set(['content-length', 'connection', 'date', 'transfer-encoding', 'keep-alive']);
  const fields = Object.entries(object.headers).filter(([name]) => !own.has(name));
  const args = [object.body.toString('base64'), JSON.stringify(fields)];
  const floor = startNode('loadtest/bench/floor.ts', { args });
  const port = await floor.message((message) => (message as { port?: number }).port);
  return { name: 'floor', url: `http://127.0.0.1:${port}`, pid: floor.pid, path, key, stop: () => floor.stop() };
}

async function startWithObject(name: (typeof OTHER_SERVERS)[number]): Promise<Server> {
  const { url, pid, key, bucket, stop } = await startOther(name);
  const path = `/${bucket}/object.bin`;
  await send(url, 'PUT', path, { key, body: CONTENT });
  return { name, url, pid, path, key, stop };
}

async function objectOf({ url, path, key }: Pick<Server, 'url' | 'path' | 'key'>): Promise<Answer> {
  const answer = await send(url, 'GET', path, { key });
  if (answer.status !== 200 || !answer.body.equals(CONTENT)) throw new Error(`${url} answers ${answer.status}`);
  return answer;
}

async function inTurns(servers: readonly Server[]): Promise<ReadonlyMap<string, readonly Served[]>> {
  const load = (server: Server, seconds: number) =>
    loadSigned(server, server.path, server.key, { connections: CONNECTIONS, seconds });
  const rounds = new Map(servers.map(({ name }) => [name, [] as Served[]]));
  for (const server of servers) {
    await objectOf(server);
    await load(server, WARM_UP_SECONDS);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) rounds.get(server.name)?.push(await load(server, ROUND_SECONDS));
  }
  return rounds;
}
