// `npm run check:history -- [--operations N] [--seed N] [--redis WHICH] [--rules [--rule TEXT]]`: clients of a fleet, in which things go wrong, make N operations or more,
// and what they saw is judged. The fleet has one Redis, or Sentinels, or a cluster (without or with replicas).
// `--rules`: leaves one rule after the other out instead, and finds a history that shows it. `--rule`: only those with that text.
import { parseArgs } from 'node:util';
import { REDISES, startFleet } from './fleet.ts';
import { runFleetHistory } from './history.ts';
import { leaveRulesOut } from './rules.ts';

const CLIENTS = 16;
const REQUESTS_EACH = 30;
const BUCKETS = 4;

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    redis: { type: 'string', default: 'single' },
    rules: { type: 'boolean', default: false },
    rule: { type: 'string', default: '' },
  },
});

const isRedis = (name: string): name is keyof typeof REDISES => Object.hasOwn(REDISES, name);
const { redis } = values;
if (!isRedis(redis)) throw new Error(`--redis is one of ${Object.keys(REDISES).join(', ')}`);

const found = values.rules
  ? await leaveRulesOut(values.rule)
  : await judgeMany(redis, Number(values.operations), Number(values.seed));
process.exit(found ? 0 : 1);

async function judgeMany(redis: keyof typeof REDISES, operations: number, firstSeed: number): Promise<boolean> {
  const fleet = await startFleet({ redis, gateways: 3, pachds: 2, finishMs: 50, headTtlMs: 500 });
  const happened = new Map<string, number>();
  const startedMs = Date.now();
  let known = 0;
  let wrong = 0;
  for (let seed = firstSeed; known < operations; seed++) {
    const history = await runFleetHistory(fleet, {
      seed,
      clients: CLIENTS,
      requestsEach: REQUESTS_EACH,
      buckets: BUCKETS,
      faults: true,
      outsider: true,
    });
    const { faults } = history;
    known += history.known;
    for (const name of faults) happened.set(name, (happened.get(name) ?? 0) + 1);
    for (const { key, operations: seen } of history.contradictions()) {
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
