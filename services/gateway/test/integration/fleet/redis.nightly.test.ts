import { expect, it } from 'vitest';
import { startFleet } from './fleet.ts';
import { runFleetHistory } from './history.ts';

const SEEDS = [1, 2, 3];
const TEST_MAX_MS = 900_000;

it.each(['sentinel', 'cluster', 'cluster-with-replicas'] as const)(
  'requests take effect one at a time whatever goes wrong, with Redis as a %s',
  async (redis) => {
    const fleet = await startFleet({ redis, gateways: 3, pachds: 2, finishMs: 50, headTtlMs: 500 });
    try {
      for (const seed of SEEDS) {
        const options = { seed, clients: 16, requestsEach: 30, faults: true, outsider: true };
        const history = await runFleetHistory(fleet, options);
        expect(history.known).toBeGreaterThan(300);
        expect({ seed, contradictions: history.contradictions() }).toEqual({ seed, contradictions: [] });
      }
    } finally {
      await fleet.stop();
    }
  },
  TEST_MAX_MS,
);
