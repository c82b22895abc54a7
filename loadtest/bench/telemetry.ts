// What traces cost: a signed GET of 1 KB by wrk, through gateways of one worker that differ in nothing else, in turns, so that whatever
// else the machine does meets all of them.
import { freshBucket } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { type Collector, startCollector } from '../../services/gateway/test/support/collector.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../../services/gateway/test/support/tusk.ts';
import { median } from './figures.ts';
import { loadSigned, type Served, summarise } from './wrk.ts';

const OBJECT_BYTES = 1_024;
const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_SECONDS = 3;
const WARM_UP_SECONDS = 5;

interface Setup {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** The folder of another build. */
  readonly root?: string;
}

interface Gateway {
  readonly setup: Setup;
  readonly tusk: Tusk;
  readonly path: string;
  readonly rounds: Served[];
}

/** @param otherBuild a folder with a build of tusk to compare with, such as one from before a change */
export async function reportTelemetry(otherBuild: string | undefined): Promise<void> {
  const collector = await startCollector();
  try {
    const gateways = await measure(setups(collector, otherBuild));
    const first = gateways[0]?.rounds ?? [];
    console.log('\nSigned GET of 1 KB, one worker, medians of rounds in turns');
    for (const { setup, rounds } of gateways) {
      const { requestsPerSecond, p99Ms } = summarise(rounds);
      const us = median(rounds.map(({ usPerRequest }) => usPerRequest));
      // Round by round, since what the machine does otherwise changes slowly.
      const ratio = median(rounds.map(({ usPerRequest }, at) => usPerRequest / (first[at]?.usPerRequest ?? 1)));
      const throughput = `${Math.round(requestsPerSecond)} requests/s, p99 ${p99Ms.toFixed(1)} ms`;
      console.log(
        `  ${setup.name.padEnd(16)} ${us.toFixed(1)} µs of processor time a request (${ratio.toFixed(3)}), ${throughput}`,
      );
    }
    console.log(`  ${collector.spans().length} spans were exported`);
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

async function measure(setups: readonly Setup[]): Promise<readonly Gateway[]> {
  const key = keyOf(ROOT_TOKEN);
  const gateways: Gateway[] = [];
  const load = ({ url, program }: Tusk, path: string, seconds: number) =>
    loadSigned({ url, pid: program.pid }, path, key, { connections: CONNECTIONS, seconds });
  try {
    for (const setup of setups) {
      const { root } = setup;
      const env = { TUSK_ACCESS_LOG: 'off', ...setup.env };
      const tusk = await startTusk({ auth: true, env, ...(root === undefined ? {} : { root }) });
      const path = `/${await freshBucket(tusk, key)}/object.bin`;
      gateways.push({ setup, tusk, path, rounds: [] });
      await send(tusk.url, 'PUT', path, { key, body: sampleBytes(OBJECT_BYTES) });
      await load(tusk, path, WARM_UP_SECONDS);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { tusk, path, rounds } of gateways) rounds.push(await load(tusk, path, ROUND_SECONDS));
    }
    return gateways;
  } finally {
    for (const { tusk } of gateways) await tusk.stop();
  }
}
