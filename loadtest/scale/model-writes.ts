import {
  BALANCER_CORES,
  BRANCHES,
  finishSeconds,
  NAMES_OF_A_LOOK,
  PENDING_MAX,
  roundSeconds,
  WRITERS_PER_GATEWAY,
  WRITES_MAX,
} from './assumed.ts';
import type { Figures, Who } from './figures.ts';
import type { Predicted } from './model-reads.ts';
import { predictWrites, type Rounds, simulateWrites } from './rounds.ts';

const SEED = 11;
const SIMULATED_COMMITS = 400;

/** What pachd and the rounds alone let through. */
export function predictRounds(writers: number, branches: number) {
  const together = Math.min(writers / branches, WRITES_MAX);
  const rounds: Rounds = {
    branches,
    writers,
    roundSeconds,
    finishSeconds: (repos) => finishSeconds(repos, together),
    writesMax: WRITES_MAX,
    pendingMax: PENDING_MAX,
  };
  const predicted = predictWrites(rounds);
  const seconds = SIMULATED_COMMITS / predicted.commitsPerSecond;
  return { ...predicted, simulatedPerSecond: simulateWrites(rounds, { seconds, seed: SEED }).perSecond };
}

/**
 * Calls that pachd gets for 1000 writes, by how many of them are one commit: what a commit was asked with several branches, and one look-up more
 * for each 64 names above the first.
 */
function callsPer1000Writes({ writes }: Figures): (together: number) => number {
  const rows = writes.filter(({ branches, spread }) => branches > 1 && spread === 'by branch');
  const ofCommit = rows.reduce((sum, row) => sum + row.pachdPer1000 / row.commitsPer1000, 0) / rows.length;
  return (together) => (1_000 * (ofCommit + Math.ceil(together / NAMES_OF_A_LOOK) - 1)) / together;
}

export function predictFleetWrites(figures: Figures, gateways: number): Predicted {
  const writers = gateways * WRITERS_PER_GATEWAY;
  // Where many go together, since that is what a large fleet has.
  const rows = figures.writes.filter(({ writers: count, spread }) => count === 64 && spread === 'by branch');
  const of = (who: Who) => rows.reduce((sum, { costUs }) => sum + costUs[who], 0) / rows.length / 1_000_000;
  const rounds = predictRounds(writers, BRANCHES);
  // A branch has one worker.
  const busy = Math.min(gateways, BRANCHES);
  const most = Math.min(busy / of('gateways'), BALANCER_CORES / of('balancer'), 1 / of('redis'));
  const perSecond = Math.min(rounds.perSecond, most);
  return {
    perSecond,
    simulatedPerSecond: Math.min(rounds.simulatedPerSecond, most),
    seconds: writers / perSecond,
    used: {
      balancer: (perSecond * of('balancer')) / BALANCER_CORES,
      gateways: (perSecond * of('gateways')) / busy,
      Redis: perSecond * of('redis'),
      pachd: perSecond / rounds.perSecond,
    },
    pachdPer1000: callsPer1000Writes(figures)(Math.min(writers / BRANCHES, WRITES_MAX)),
  };
}
