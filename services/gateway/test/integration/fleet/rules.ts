import { rmSync } from 'node:fs';
import { findStaleRead } from '../history/stale.ts';
import { startFleet } from './fleet.ts';
import { type FleetHistory, runFleetHistory } from './history.ts';
import { buildMutant, MUTANTS, type Mutant } from './mutants.ts';

const CLIENTS = 10;
const REQUESTS_EACH = 100;
/** Who writes without Redis waits for long each time, and who only reads does not wait at all. */
const REQUESTS_OF = { apart: 20, watch: 200 } as const;
/** A history in which a rule is missed is found within so many. */
const SEEDS_MAX = 25;

interface Finding {
  readonly seed: number;
  /** undefined: nothing was wrong. */
  readonly what: string | undefined;
}

/**
 * Leaves one rule after the other out of the build, or those whose text has `which` in it, and lets fleets without it go on until what clients see contradicts itself. Each
 * fleet is first seen to be right with the rule in it, by the same histories. Prints a table. @returns whether each was found out
 */
export async function leaveRulesOut(which: string): Promise<boolean> {
  let good = true;
  console.log('| the rule that is left out | seed | what was wrong then | with it |\n| --- | --- | --- | --- |');
  for (const mutant of MUTANTS.filter(({ rule }) => rule.includes(which))) {
    const { seed, what } = await findOut(mutant, 'without', SEEDS_MAX);
    const intact = await findOut(mutant, 'with', seed);
    if (what === undefined || intact.what !== undefined) good = false;
    console.log(`| ${mutant.rule} | ${seed} | ${what ?? 'NOT FOUND'} | ${intact.what ?? 'nothing'} |`);
  }
  return good;
}

async function findOut(mutant: Mutant, rule: 'with' | 'without', seeds: number): Promise<Finding> {
  const root = buildMutant(mutant, rule);
  const fleet = await startFleet({ gateways: 3, pachds: 2, ...mutant.conditions, root });
  let seed = 1;
  try {
    for (; seed <= seeds; seed++) {
      const { faults, outsider, work } = mutant;
      const requestsEach = work === 'apart' || work === 'watch' ? REQUESTS_OF[work] : REQUESTS_EACH;
      const history = await runFleetHistory(fleet, { seed, clients: CLIENTS, requestsEach, faults, outsider, work });
      console.error(`${rule} "${mutant.rule}": seed ${seed}, ${history.known} operations`);
      const what = contradictionIn(history);
      if (what !== undefined) return { seed, what };
    }
    return { seed: seeds, what: undefined };
  } finally {
    await fleet.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** What is wrong with what was seen, in a line; undefined: nothing, or nothing that can be told. */
function contradictionIn(history: FleetHistory): string | undefined {
  let contradictions: ReturnType<FleetHistory['contradictions']>;
  try {
    contradictions = history.contradictions();
  } catch (error) {
    console.error(`  ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
  const [wrong] = contradictions;
  if (wrong === undefined) return undefined;
  const stale = findStaleRead(wrong.operations);
  const lateMs = stale === undefined ? 0 : Math.round(stale.read.answeredAt - stale.overwrittenBy.answeredAt);
  // What somebody outside wrote may be seen a time to live later, so what is wrong with it is nothing but the order.
  if (lateMs <= 0) return `${wrong.operations.length} operations on ${wrong.key} have no order`;
  return `${wrong.key}: a read answered what had been overwritten ${lateMs} ms before`;
}
