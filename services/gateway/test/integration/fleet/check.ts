// `npm run check:history -- [--operations N] [--seed N] [--redis WHICH] [--rules]`: clients of a fleet, in which things go wrong, make N operations or more,
// and what they saw is judged. The fleet has one Redis, or Sentinels, or a cluster (without or with replicas).
// `--rules`: leaves one rule after the other out instead, and finds a history that shows it.
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Fleet, REDISES, startFleet } from './fleet.ts';
import { type FleetHistory, type FleetHistoryOptions, runFleetHistory } from './history.ts';
import { buildMutant, MUTANTS, type Mutant } from './mutants.ts';

const CLIENTS = 16;
const REQUESTS_EACH = 30;
/** A history in which a rule is missed is found within so many. */
const SEEDS_MAX = 60;

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    redis: { type: 'string', default: 'single' },
    rules: { type: 'boolean', default: false },
  },
});

const isRedis = (name: string): name is keyof typeof REDISES => Object.hasOwn(REDISES, name);
const { redis } = values;
if (!isRedis(redis)) throw new Error(`--redis is one of ${Object.keys(REDISES).join(', ')}`);

const found = values.rules
  ? await leaveRulesOut()
  : await judgeMany(redis, Number(values.operations), Number(values.seed));
process.exit(found ? 0 : 1);

async function judgeMany(redis: keyof typeof REDISES, operations: number, firstSeed: number): Promise<boolean> {
  const fleet = await startFleet({ redis, gateways: 3, pachds: 2, finishMs: 50, headTtlMs: 500 });
  const happened = new Map<string, number>();
  const startedMs = Date.now();
  let known = 0;
  let wrong = 0;
  for (let seed = firstSeed; known < operations; seed++) {
    const { record, faults } = await history(fleet, seed, { faults: true, outsider: true });
    known += record.known();
    for (const name of faults) happened.set(name, (happened.get(name) ?? 0) + 1);
    for (const { key, operations: seen } of record.contradictions()) {
      wrong += 1;
      console.log(
        `seed ${seed}, ${key} (${faults.join('; ')}): these contradict each other\n${JSON.stringify(seen, undefined, 1)}`,
      );
    }
    console.error(
      `${known} operations, seed ${seed}, ${Math.round((Date.now() - startedMs) / 1_000)} s, wrong: ${wrong}`,
    );
  }
  await fleet.stop();
  for (const [name, times] of [...happened].sort(([a], [b]) => a.localeCompare(b))) console.log(`${times} × ${name}`);
  console.log(`${known} operations, ${wrong} contradictions`);
  return wrong === 0;
}

async function leaveRulesOut(): Promise<boolean> {
  let missed = 0;
  console.log('| the rule that is left out | seed | what was wrong then |\n| --- | --- | --- |');
  for (const mutant of MUTANTS) {
    const { seed, what } = await findOut(mutant);
    if (what === undefined) missed += 1;
    console.log(`| ${mutant.rule} | ${seed} | ${what ?? 'NOT FOUND'} |`);
  }
  return missed === 0;
}

/** Lets fleets that miss a rule go on until a history contradicts itself. */
async function findOut(mutant: Mutant): Promise<{ readonly seed: number; readonly what: string | undefined }> {
  const root = buildMutant(mutant);
  const { headTtlMs } = mutant;
  const fleet = await startFleet({ gateways: 3, pachds: 2, finishMs: 0, headTtlMs, root, slowLooks: true });
  let seed = 1;
  try {
    for (; seed <= SEEDS_MAX; seed++) {
      const { record } = await history(fleet, seed, mutant);
      const [wrong] = record.contradictions();
      console.error(`${mutant.rule}: seed ${seed}, ${record.known()} operations, wrong: ${wrong !== undefined}`);
      if (wrong !== undefined) return { seed, what: `${wrong.operations.length} operations on ${wrong.key}` };
    }
    return { seed, what: undefined };
  } catch (error) {
    return {
      seed,
      what: `a client was told: ${String(error)
        .replace(/<Message>.*/s, '')
        .replace(/\n/g, ' ')}`,
    };
  } finally {
    await fleet.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

function history(
  fleet: Fleet,
  seed: number,
  { faults, outsider }: Pick<FleetHistoryOptions, 'faults' | 'outsider'>,
): Promise<FleetHistory> {
  return runFleetHistory(fleet, { seed, clients: CLIENTS, requestsEach: REQUESTS_EACH, faults, outsider });
}
