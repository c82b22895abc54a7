import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../services/gateway/test/support/program.ts';
import { writeStudy } from './document.ts';
import { FIGURES_FILE, type Figures } from './figures.ts';
import { measureColdReads } from './measure-cold.ts';
import { measureHotReads } from './measure-hot.ts';
import { measureWrites } from './measure-writes.ts';

/**
 * Measures what a request takes of each program, and writes docs/scale: figures, plots, and the tables of docs/scale.md.
 * @param again 'again': from the figures that are there
 */
export async function reportScale(again: string | undefined): Promise<void> {
  if (again !== 'again') await measure();
  await writeStudy();
  console.log('docs/scale.md and its plots are as docs/scale/figures.json has it');
}

async function measure(): Promise<void> {
  const step = async <T>(what: string, measure: () => Promise<T>): Promise<T> => {
    const beganMs = performance.now();
    const measured = await measure();
    console.log(`${what}: ${Math.round((performance.now() - beganMs) / 1_000)} s`);
    return measured;
  };
  const figures: Figures = {
    takenOn: new Date().toISOString().slice(0, 10),
    machine: `${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.versions.node}`,
    cores: availableParallelism(),
    hotReads: await step('hot reads', measureHotReads),
    coldReads: await step('cold reads', measureColdReads),
    writes: await step('writes', measureWrites),
  };
  const file = join(ROOT, FIGURES_FILE);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `${JSON.stringify(figures, rounded, 2)}\n`);
}

/** Four digits say more than was measured. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
