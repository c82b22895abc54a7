// `npm run bench -- devpachd [FILES...]`: what `--latency real` takes, beside what a real pachd took, row by row. With 0 for FILES: what
// devpachd can do without it.
import { connect, spawnDevpachd, tempFolder } from '../../services/devpachd/test/harness.ts';
import { SCALE, SIMPLE, SIZES } from './devpachd-recorded.ts';
import { type Measured, measureScale } from './devpachd-scale.ts';
import { measureSimple } from './devpachd-simple.ts';
import { reportThroughput } from './devpachd-throughput.ts';

const [LOWEST, HIGHEST] = [0.7, 1.4];

interface Row {
  readonly name: string;
  readonly recordedMs: number;
  readonly ownMs: number;
}

/** Prints a table, and how many rows are within the bounds. `sizes`: of the repos; none: all that were recorded; 0: throughput instead. */
export async function reportDevpachd(sizes: readonly number[]): Promise<void> {
  if (sizes.includes(0)) return reportThroughput();
  const rows: Row[] = [];
  await withDevpachd(async (client, address) => {
    rows.push(...rowsOf('small', await measureSimple(client, address), SIMPLE));
  });
  for (const [index, files] of SIZES.entries()) {
    if (sizes.length > 0 && !sizes.includes(files)) continue;
    await withDevpachd(async (client) => {
      const recorded = Object.fromEntries(Object.entries(SCALE).map(([name, ms]) => [name, ms[index] ?? 0]));
      rows.push(...rowsOf(`${files}`, await measureScale(client, files), recorded));
    });
  }
  const within = rows.filter(isWithin).length;
  console.log(`\n${within} of ${rows.length} rows within ${LOWEST} to ${HIGHEST}`);
}

/** Each in a store of its own: what finishes in one must not take the time of another. */
async function withDevpachd(
  work: (client: ReturnType<typeof connect>, address: string) => Promise<void>,
): Promise<void> {
  const folder = tempFolder();
  const server = await spawnDevpachd(folder.path, ['--latency', 'real']);
  const client = connect(server.address);
  try {
    await work(client, server.address);
  } finally {
    client.close();
    await server.end();
    folder.remove();
  }
}

function rowsOf(where: string, own: Measured, recorded: Measured): readonly Row[] {
  const rows = Object.entries(recorded).map(([name, recordedMs]) => ({
    name,
    recordedMs,
    ownMs: own[name] ?? Number.NaN,
  }));
  console.log(`\n${where.padEnd(48)}   pachd ms  devpachd ms  ratio`);
  for (const row of rows) {
    const figures = [row.recordedMs.toFixed(1).padStart(11), row.ownMs.toFixed(1).padStart(13), ratio(row).padStart(7)];
    console.log(`${row.name.padEnd(48)}${figures.join('')}${isWithin(row) ? '' : '  *'}`);
  }
  return rows;
}

function isWithin({ recordedMs, ownMs }: Row): boolean {
  return ownMs >= recordedMs * LOWEST && ownMs <= recordedMs * HIGHEST;
}

function ratio({ recordedMs, ownMs }: Row): string {
  return (ownMs / recordedMs).toFixed(2);
}
