import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { runHistory } from './history.ts';

let tusk: Tusk;
beforeAll(async () => {
  // What others commit is seen within the time to live of a head: without one at once, so that it can be held against a clock.
  tusk = await startTusk({ env: { TUSK_HEAD_TTL_MS: '0', TUSK_ACCESS_LOG: 'off' } });
});
afterAll(() => tusk.stop());

it('requests of many clients on the same keys take effect one at a time', async () => {
  const record = await runHistory(tusk.url, { seed: 1, clients: 8, requestsEach: 40 });
  expect(record.known()).toBeGreaterThan(300);
  expect(record.contradictions()).toEqual([]);
});

it('and so they do while somebody else commits to the branch at pachd', async () => {
  const record = await runHistory(tusk.url, {
    seed: 2,
    clients: 8,
    requestsEach: 40,
    outsiderAt: tusk.pachdAddress,
  });
  expect(record.known()).toBeGreaterThan(300);
  expect(record.contradictions()).toEqual([]);
});
