import { rmSync } from 'node:fs';
import { startFleet } from './fleet.ts';
import { runFleetHistory } from './history.ts';
import { buildMutant, MUTANTS, type Mutant } from './mutants.ts';

const CLIENTS = 16;
const REQUESTS_EACH = 60;
/** A history in which a rule is missed is found within so many. */
const SEEDS_MAX = 25;

interface Finding {
  readonly seed: number;
  /** undefined: nothing was wrong. */
  readonly what: string | undefined;
}

/**
 * Leaves one rule after the other out of the build, and lets fleets without it go on until what clients see contradicts itself. Each
 * fleet is first seen to be right with the rule in it, by the same histories. Prints a table. @returns whether each was found out
 */
export async function leaveRulesOut(): Promise<boolean> {
  let good = true;
  console.log('| the rule that is left out | seed | what was wrong then | with it |\n| --- | --- | --- | --- |');
  for (const mutant of MUTANTS) {
    const { seed, what } = await findOut(mutant, 'without', SEEDS_MAX);
    const intact = await findOut(mutant, 'with', seed);
    if (what === undefined || intact.what !== undefined) good = false;
    console.log(`| ${mutant.rule} | ${seed} | ${what ?? 'NOT FOUND'} | ${intact.what ?? 'nothing'} |`);
  }
  return good;
}

async function findOut(mutant: Mutant, rule: 'with' | 'without', seeds: number): Promise<Finding> {
  const root = buildMutant(mutant, rule);
  const { headTtlMs, lookDelaysMs, finishMs } = mutant;
  const fleet = await startFleet({ gateways: 3, pachds: 2, finishMs, headTtlMs, lookDelaysMs, root });
  let seed = 1;
  try {
    for (; seed <= seeds; seed++) {
      const { faults, outsider } = mutant;
      const options = { seed, clients: CLIENTS, requestsEach: REQUESTS_EACH, faults, outsider, plain: true };
      const { record } = await runFleetHistory(fleet, options);
      const [wrong] = record.contradictions();
      console.error(`${rule} "${mutant.rule}": seed ${seed}, ${record.known()} operations`);
      if (wrong !== undefined) return { seed, what: `${wrong.operations.length} operations on ${wrong.key}` };
    }
    return { seed: seeds, what: undefined };
  } finally {
    await fleet.stop();
    rmSync(root, { recursive: true, force: true });
  }
}
