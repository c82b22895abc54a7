// What traces cost: a signed GET of 1 KB by wrk, through gateways of one worker that differ in nothing else, in turns, so that whatever
// else the machine does meets all of them.
import { freshBucket } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { type Collector, startCollector } from '../../services/gateway/test/support/collector.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { type Key, keyOf } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../../services/gateway/test/support/tusk.ts';
import { median } from './figures.ts';
import { fieldsOf, runWrk, signedGet, summarise, type Throughput } from './wrk.ts';

const OBJECT_BYTES = 1_024;
const CONNECTIONS = 32;
const ROUNDS = 7;
const ROUND_SECONDS = 3;
const WARM_UP_SECONDS = 2;

interface Setup {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** The folder of another build. */
  readonly root?: string;
}

/** @param otherBuild a folder with a build of tusk to compare with, such as one from before a change */
export async function reportTelemetry(otherBuild: string | undefined): Promise<void> {
  const collector = await startCollector();
  try {
    const rows = await measure(setups(collector, otherBuild));
    console.log('\nSigned GET of 1 KB, one worker, medians of rounds in turns');
    for (const { name, result, ratio } of rows) {
      const figures = `${Math.round(result.requestsPerSecond)} requests/s, p50 ${result.p50Ms.toFixed(2)} ms, p99 ${result.p99Ms.toFixed(2)} ms`;
      console.log(`  ${name.padEnd(22)} ${figures}, ${ratio.toFixed(3)} of the first`);
    }
    console.log(`  exported: ${collector.spans().length} spans`);
  } finally {
    await collector.stop();
  }
}

function setups(collector: Collector, otherBuild: string | undefined): readonly Setup[] {
  const at = (part: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: part,
  });
  return [
    { name: 'traces off', env: {} },
    ...(otherBuild === undefined ? [] : [{ name: 'the other build', env: {}, root: otherBuild }]),
    { name: 'traces of 1 %', env: at('0.01') },
    { name: 'traces of 100 %', env: at('1') },
  ];
}

async function measure(setups: readonly Setup[]) {
  const key = keyOf(ROOT_TOKEN);
  const gateways: {
    readonly setup: Setup;
    readonly tusk: Tusk;
    readonly path: string;
    readonly rounds: Throughput[];
  }[] = [];
  try {
    for (const setup of setups) {
      const { env, root } = setup;
      const tusk = await startTusk({
        auth: true,
        env: { TUSK_ACCESS_LOG: 'off', ...env },
        ...(root === undefined ? {} : { root }),
      });
      const path = `/${await freshBucket(tusk, key)}/object.bin`;
      gateways.push({ setup, tusk, path, rounds: [] });
      await send(tusk.url, 'PUT', path, { key, body: sampleBytes(OBJECT_BYTES) });
      await load(tusk, path, key, WARM_UP_SECONDS);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { tusk, path, rounds } of gateways) rounds.push(await load(tusk, path, key, ROUND_SECONDS));
    }
  } finally {
    for (const { tusk } of gateways) await tusk.stop();
  }
  const first = gateways[0]?.rounds ?? [];
  return gateways.map(({ setup, rounds }) => ({
    name: setup.name,
    result: summarise(rounds),
    // Round by round, since what the machine does otherwise changes slowly.
    ratio: median(rounds.map(({ requestsPerSecond }, at) => requestsPerSecond / (first[at]?.requestsPerSecond ?? 1))),
  }));
}

async function load({ url }: Tusk, path: string, key: Key, seconds: number): Promise<Throughput> {
  const args = fieldsOf(await signedGet(url, path, key));
  return runWrk(url + path, { connections: CONNECTIONS, seconds, args });
}
