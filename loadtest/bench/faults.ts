import { setTimeout as sleep } from 'node:timers/promises';
import { CASES, type FaultCase } from './faults-cases.ts';
import { type Outcome, workThrough } from './faults-load.ts';
import { withFleet } from './fleet-cluster.ts';

/** How long clients work before a fault, and after it is over. */
const BEFORE_MS = 3_000;
const AFTER_MS = 5_000;

/** What clients see of each fault, each in a fleet of its own. @param only words that the names of faults have; undefined: all */
export async function reportFaults(only: string | undefined): Promise<void> {
  console.log('\n| fault | reads, writes | errors | longest read, write | stale reads | lost writes |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const fault of CASES) {
    if (only === undefined || fault.name.includes(only)) console.log(rowOf(fault.name, await undergo(fault)));
  }
}

function undergo(fault: FaultCase): Promise<Outcome> {
  return withFleet({ auth: true, pachdArgs: ['--latency', 'real', '--fault-control'] }, (cluster) =>
    workThrough(cluster.url, async () => {
      await sleep(BEFORE_MS);
      await fault.happen(cluster);
      await sleep(AFTER_MS);
    }),
  );
}

function rowOf(name: string, { reads, writes, stale, lost }: Outcome): string {
  const errors = [...errorsOf('GET', reads), ...errorsOf('PUT', writes)].join(', ') || '0';
  const counts = `${reads.answered}, ${writes.answered}`;
  const longest = `${seconds(reads.longestMs)}, ${seconds(writes.longestMs)}`;
  return `| ${[name, counts, errors, longest, stale, lost].join(' | ')} |`;
}

function errorsOf(method: string, { errors }: Outcome['reads']): readonly string[] {
  return [...errors].map(([error, count]) => `${count} ${method} ${error}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
