// What k6 itself can drive: signed GETs of 1 KB at the floor, by k6 and by wrk, in turns.
import { readFileSync } from 'node:fs';
import { startNode } from '../../services/gateway/test/support/program.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { createAggregate } from '../run/aggregate.ts';
import { runScenario } from '../run/k6.ts';
import { median, megabytes } from './figures.ts';
import { processorMs } from './fleet-cpu.ts';
import { fieldsOf, runWrk, signedGet, type Throughput } from './wrk.ts';

const KEY = keyOf('token');
const PATH = '/bucket/object.bin';
/** As loadtest/k6/bench/signed.ts expects it. */
const CONTENT = 'object.bin 0\n'.repeat(1024).slice(0, 1024);
const USERS = 32;
const ROUNDS = 3;
const ROUND_SECONDS = 5;
/** Long enough for what is kept of each request to be seen. */
const LONG_SECONDS = 60;
const LOOK_EVERY_MS = 100;

interface Driven extends Throughput {
  /** k6's processor time for a request. */
  readonly costUs: number;
  /** k6's resident memory, at most. */
  readonly peakBytes: number;
}

export async function reportK6(): Promise<void> {
  const floor = startNode('loadtest/bench/floor.ts', { args: [Buffer.from(CONTENT).toString('base64'), '[]'] });
  try {
    const port = await floor.message((message) => (message as { port?: number }).port);
    const url = `http://127.0.0.1:${port}`;
    const wrk: Throughput[] = [];
    const replayed: Driven[] = [];
    const signed: Driven[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      wrk.push(await driveByWrk(url));
      replayed.push(await driveByK6('bench/replayed', url, ROUND_SECONDS));
      signed.push(await driveByK6('bench/signed', url, ROUND_SECONDS));
    }
    console.log(`\nSigned GETs of 1 KB at the floor, ${USERS} connections, medians of ${ROUNDS} rounds in turns`);
    const most = medianOf(wrk, ({ requestsPerSecond }) => requestsPerSecond);
    print('wrk', wrk, most, '');
    print('k6, one request again and again', replayed, most, costText(replayed));
    print('k6, each signed and compared', signed, most, costText(signed));
    const long = await driveByK6('bench/signed', url, LONG_SECONDS);
    console.log(
      `  k6's memory at most: ${megabytes(medianOf(signed, ({ peakBytes }) => peakBytes))} in ${ROUND_SECONDS} s, ${megabytes(long.peakBytes)} in ${LONG_SECONDS} s`,
    );
  } finally {
    await floor.stop();
  }
}

async function driveByWrk(url: string): Promise<Throughput> {
  const args = fieldsOf(await signedGet(url, PATH, KEY));
  return runWrk(url + PATH, { connections: USERS, seconds: ROUND_SECONDS, args });
}

/** @throws Error when a request fails: a fast error is no throughput */
async function driveByK6(script: string, target: string, seconds: number): Promise<Driven> {
  const aggregate = createAggregate();
  let looking: NodeJS.Timeout | undefined;
  let used = { ms: 0, peakBytes: 0 };
  const { accessKey, secretKey } = KEY;
  const settings = { target, accessKey, secretKey, users: USERS, seconds, cleans: false };
  const code = await runScenario(script, settings, {
    onStart(pid) {
      // What it took by itself is not told when it has ended.
      looking = setInterval(() => {
        used = usedBy(pid) ?? used;
      }, LOOK_EVERY_MS);
    },
    onSample: aggregate.add,
    onProgress: () => undefined,
    onComplaint: (words) => console.log(`  k6: ${words}`),
  });
  clearInterval(looking);
  const { total, checks, seconds: measuredSeconds } = aggregate.measured();
  const wrong = checks.reduce((sum, { failed }) => sum + failed, total.failed);
  if (code !== 0 || wrong > 0 || total.requests === 0) throw new Error(`k6 ended with ${code}, ${wrong} were wrong`);
  return {
    requestsPerSecond: total.requests / measuredSeconds,
    p50Ms: total.p50Ms ?? Number.NaN,
    p99Ms: total.p99Ms ?? Number.NaN,
    costUs: (used.ms * 1000) / total.requests,
    peakBytes: used.peakBytes,
  };
}

/** undefined: it has just ended. */
function usedBy(pid: number): { readonly ms: number; readonly peakBytes: number } | undefined {
  try {
    const peakKb = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
    return Number.isNaN(peakKb) ? undefined : { ms: processorMs(pid), peakBytes: peakKb * 1024 };
  } catch {
    return undefined;
  }
}

function print(name: string, rounds: readonly Throughput[], most: number, cost: string): void {
  const rate = medianOf(rounds, ({ requestsPerSecond }) => requestsPerSecond);
  const latency = `p50 ${medianOf(rounds, ({ p50Ms }) => p50Ms).toFixed(1)} ms, p99 ${medianOf(rounds, ({ p99Ms }) => p99Ms).toFixed(1)} ms`;
  const part = (rate / most).toFixed(2);
  console.log(`  ${name.padEnd(32)} ${String(Math.round(rate)).padStart(6)} requests/s (${part}), ${latency}${cost}`);
}

function costText(rounds: readonly Driven[]): string {
  return `, ${Math.round(medianOf(rounds, ({ costUs }) => costUs))} µs of a processor a request`;
}

function medianOf<T>(items: readonly T[], value: (item: T) => number): number {
  return median(items.map(value));
}
