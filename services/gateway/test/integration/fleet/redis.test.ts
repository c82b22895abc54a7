// What one Redis does in the other tests, Sentinels and a cluster do, too. At once, since these histories mostly wait.
import { expect, it } from 'vitest';
import { startFleet } from './fleet.ts';
import { runFleetHistory } from './history.ts';

it.concurrent.each([
  ['Sentinels promote a replica', 'sentinel', /told to promote/],
  ['a primary of a cluster dies, and slots move', 'cluster', /killed and back|moves to another primary$/],
] as const)('requests through any gateway take effect one at a time while %s', async (_, redis, faults) => {
  const fleet = await startFleet({ redis, gateways: 2, pachds: 1, finishMs: 50, headTtlMs: 500 });
  try {
    const options = { seed: 1, clients: 10, requestsEach: 15, faults, outsider: false, work: 'plain' as const };
    const history = await runFleetHistory(fleet, options);
    expect(history.faults).not.toEqual([]);
    expect(history.known).toBeGreaterThan(100);
    expect(history.contradictions()).toEqual([]);
  } finally {
    await fleet.stop();
  }
});
