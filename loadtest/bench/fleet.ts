import { megabytes } from './figures.ts';
import { withFleet } from './fleet-cluster.ts';
import { measureCommands } from './fleet-commands.ts';
import { measureMemory } from './fleet-memory.ts';
import { measureReaders } from './fleet-readers.ts';
import { measureThroughput } from './fleet-throughput.ts';

/** What a fleet serves, what it asks pachd and Redis, and what a worker keeps. */
export async function reportFleet(): Promise<void> {
  await reportThroughput();
  await withFleet({ auth: true }, async (cluster) => {
    console.log('\n2 gateways with 2 workers each, readers of 64 hot keys');
    for (const { readers, requestsPerSecond, pachdCallsPerSecond } of await measureReaders(cluster)) {
      const calls = `${pachdCallsPerSecond.toFixed(1)} calls/s of pachd`;
      console.log(`  ${String(readers).padStart(3)} readers: ${Math.round(requestsPerSecond)} requests/s, ${calls}`);
    }
    console.log('\nWhat Redis is asked');
    for (const { operation, atOnce, scriptsPerRequest, scriptsPerWrite } of await measureCommands(cluster)) {
      const figures = `${scriptsPerRequest.toFixed(2)} scripts a request, ${scriptsPerWrite.toFixed(2)} scripts a write to the socket`;
      console.log(`  ${operation.padEnd(4)} ${String(atOnce).padStart(2)} at once: ${figures}`);
    }
  });
  await reportMemory();
}

async function reportThroughput(): Promise<void> {
  const all = await measureThroughput();
  const [alone] = all;
  console.log('\nSigned GETs of 1 KB, medians of rounds in turns; microseconds of a processor for one');
  for (const { target, requestsPerSecond, p50Ms, p99Ms, costUs } of all) {
    const ratio = requestsPerSecond / (alone?.requestsPerSecond ?? Number.NaN);
    const latency = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
    const costs = [...costUs].map(([who, us]) => `${who} ${Math.round(us)}`).join(', ');
    console.log(
      `  ${target.padEnd(34)} ${Math.round(requestsPerSecond)}/s, ${latency}, ratio ${ratio.toFixed(2)}; ${costs}`,
    );
  }
}

async function reportMemory(): Promise<void> {
  const { objects, seconds, emptyBytes, fullBytes } = await withFleet({ gateways: 1, workers: 1 }, measureMemory);
  console.log(`\nA worker's resident memory, before and after ${objects} objects in ${Math.round(seconds)} s`);
  console.log(`  ${megabytes(emptyBytes)}, ${megabytes(fullBytes)}`);
}
