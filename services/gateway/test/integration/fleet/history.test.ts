import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet.ts';
import { runFleetHistory } from './history.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ gateways: 3, pachds: 2, finishMs: 50, headTtlMs: 500 });
});
afterAll(() => fleet.stop());

it.each([
  ['requests through any gateway take effect one at a time', 1, 6, false],
  ['and so they do whatever goes wrong, while others commit', 2, 8, true],
])('%s', async (_, seed, requestsEach, faults) => {
  const history = await runFleetHistory(fleet, { seed, clients: 18, requestsEach, faults, outsider: faults });
  expect(history.known).toBeGreaterThan(50);
  expect(history.contradictions()).toEqual([]);
});
