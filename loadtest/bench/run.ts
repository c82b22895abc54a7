// `npm run bench [-- get [beside]] [-- large [MIB]]`: figures for docs/performance.md. Both without an argument; `beside`: other S3 servers too.
// `npm run bench -- writes [HOST:PORT] [idle] [load] [multipart] [outsider] [sync]`: writes that are gathered into commits, beside a commit
// for each; on a pachd that is there already, or on devpachd with a real pachd's latencies.
// `npm run bench -- reads [HOST:PORT] [cold] [sync] [alone] [large] [lists] [parquet]`: what reads take, and what they ask of pachd.
// `npm run bench -- balancer`: writes to one bucket, by how many workers the load balancer spreads them over (docs/operations.md).
// `npm run bench -- fleet`: what a fleet serves, asks and keeps.
// `npm run bench -- scale [again]`: what a request takes of each program, and with it docs/scale.md anew: measured, modelled, plotted.
// `npm run bench -- faults [WORDS]`: what clients of a fleet see when something in it fails (docs/operations.md).
// `npm run bench -- telemetry [FOLDER]`: what traces cost, and beside them another build of tusk (docs/observability.md).
// `npm run bench -- k6`: what k6 itself can drive, beside wrk (docs/loadtest.md).
// `npm run bench -- devpachd [FILES...]`: how devpachd's `--latency real` holds against a real pachd (docs/devpachd.md).
import { reportScale } from '../scale/scale.ts';
import { reportBalancer } from './balancer.ts';
import { reportDevpachd } from './devpachd.ts';
import { reportFaults } from './faults.ts';
import { megabytes } from './figures.ts';
import { reportFleet } from './fleet.ts';
import { reportK6 } from './k6-drive.ts';
import { measureLargeObject } from './large-object.ts';
import { reportReads } from './reads.ts';
import { reportSignedGet } from './signed-get.ts';
import { reportTelemetry } from './telemetry.ts';
import { reportWrites } from './writes.ts';

const LARGE_MIB = 2048;

const [only, size, ...more] = process.argv.slice(2);
if (only === undefined || only === 'get') await reportSignedGet(size === 'beside');
if (only === undefined || only === 'large') await reportLargeObject(Number(size ?? LARGE_MIB) * 2 ** 20);
if (only === 'writes') await reportWrites([size, ...more].filter((word) => word !== undefined));
if (only === 'reads') await reportReads([size, ...more].filter((word) => word !== undefined));
if (only === 'balancer') await reportBalancer();
if (only === 'fleet') await reportFleet();
if (only === 'scale') await reportScale(size);
if (only === 'faults') await reportFaults(size);
if (only === 'telemetry') await reportTelemetry(size);
if (only === 'k6') await reportK6();
if (only === 'devpachd') await reportDevpachd(size === undefined ? [] : [size, ...more].map(Number));

async function reportLargeObject(objectBytes: number): Promise<void> {
  const phases = await measureLargeObject(objectBytes);
  console.log(`\nAn object of ${megabytes(objectBytes)}, one worker`);
  for (const { name, bytes, seconds, workerPeakBytes } of phases) {
    const rate = `${megabytes(bytes / seconds)}/s`;
    console.log(
      `  ${name.padEnd(24)} ${rate.padStart(10)}, worker's resident memory at most ${megabytes(workerPeakBytes)}`,
    );
  }
}
