// How many calls pachd gets as the readers of one branch grow in number.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { connectDebug } from '../../services/gateway/test/integration/devpachd-debug.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { BUCKET } from './fleet-cluster.ts';
import { runWrk, signedGet } from './wrk.ts';

const READERS = [8, 32, 128, 512];
const HOT_KEYS = 64;
const OBJECT_BYTES = 1024;
const SECONDS = 6;
const WARM_UP_SECONDS = 2;

export interface Readers {
  readonly readers: number;
  readonly requestsPerSecond: number;
  /** That all pachds together got a second, without health checks. */
  readonly pachdCallsPerSecond: number;
}

export async function measureReaders(cluster: Cluster): Promise<readonly Readers[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tusk-bench-'));
  try {
    const script = join(folder, 'hot-keys.lua');
    await writeFile(script, await hotKeys(cluster.url));
    const load = (connections: number, seconds: number) =>
      runWrk(cluster.url, { connections, seconds, args: ['--script', script] });
    const measured: Readers[] = [];
    await load(Math.max(...READERS), WARM_UP_SECONDS);
    for (const readers of READERS) {
      const before = await pachdCalls(cluster);
      const begunMs = performance.now();
      const { requestsPerSecond } = await load(readers, SECONDS);
      const seconds = (performance.now() - begunMs) / 1000;
      const pachdCallsPerSecond = ((await pachdCalls(cluster)) - before) / seconds;
      measured.push({ readers, requestsPerSecond, pachdCallsPerSecond });
    }
    return measured;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the objects. @returns a script for wrk that reads one after the other */
async function hotKeys(url: string): Promise<string> {
  const key = keyOf(ROOT_TOKEN);
  const paths = Array.from({ length: HOT_KEYS }, (_, number) => `/${BUCKET}/hot-${number}`);
  const body = sampleBytes(OBJECT_BYTES);
  await Promise.all(paths.map((path) => send(url, 'PUT', path, { key, body })));
  const requests = await Promise.all(
    paths.map(async (path) => {
      const fields = (await signedGet(url, path, key)).map(([name, value]) => `[${quoted(name)}]=${quoted(value)}`);
      return `{${quoted(path)},{${fields.join(',')}}}`;
    }),
  );
  return `local texts, at = {}, 0
function init()
  for i, r in ipairs({${requests.join(',\n')}}) do texts[i] = wrk.format('GET', r[1], r[2]) end
end
function request()
  at = at % #texts + 1
  return texts[at]
end
`;
}

/** As Lua writes it, for text without control characters. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

async function pachdCalls({ pachds }: Cluster): Promise<number> {
  let sum = 0;
  for (const { address } of pachds) {
    const debug = connectDebug(address);
    const { calls } = await debug.counters();
    debug.close();
    for (const [method, count] of Object.entries(calls)) if (!/Health|Debug/.test(method)) sum += count;
  }
  return sum;
}
