import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../../infra/cluster/cluster.ts';
import { quantile } from './figures.ts';

const CLIENTS = 64;
const BODY = Buffer.alloc(100);
const RUN_MS = 20_000;
/** In turns, so that a machine that grows slower does not favour one. */
const LOADS_PERCENT = [150, 400, 150, 400];

/** What one bucket's writers get, by how much of all writes the load balancer lets one worker carry. */
export async function reportBalancer(): Promise<void> {
  console.log(
    `\n${CLIENTS} clients that write ${BODY.length} bytes each to one bucket, 2 gateways with 2 workers each`,
  );
  for (const loadPercent of LOADS_PERCENT) {
    const { writes, ms, workers } = await measure(loadPercent);
    const rate = `${(writes / (RUN_MS / 1000)).toFixed(1)} writes/s`;
    console.log(
      `  S3_WRITE_LOAD ${loadPercent}: ${rate} by ${workers} workers, p50 ${quantile(ms, 0.5)} ms, p95 ${quantile(ms, 0.95)} ms`,
    );
  }
}

async function measure(loadPercent: number) {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-bench-'));
  const cluster = await startCluster({
    dataDir,
    pachdArgs: ['--latency', 'real'],
    haproxyEnv: { S3_WRITE_LOAD: String(loadPercent) },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const ms: number[] = [];
  try {
    const endMs = Date.now() + RUN_MS;
    const write = async (client: number) => {
      for (let count = 0; Date.now() < endMs; count++) {
        const beganMs = Date.now();
        await put(`${cluster.url}/master.foo.bar/${client}-${count}`, agent);
        ms.push(Date.now() - beganMs);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => write(client)));
    const log = await readFile(cluster.haproxy.logFile, 'utf8');
    const workers = new Set([...log.matchAll(/"server":"(gateway-[^"]*)"/g)].map(([, name]) => name));
    return { writes: ms.length, ms, workers: workers.size };
  } finally {
    agent.destroy();
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function put(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'PUT', agent, headers: { 'content-length': BODY.length } }, (answer) => {
      answer.resume();
      if (answer.statusCode !== 200) reject(new Error(`a write was answered ${answer.statusCode}`));
      else answer.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(BODY);
  });
}
