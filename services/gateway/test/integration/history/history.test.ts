import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { harmDone, NO_HARM } from '../devpachd-debug.ts';
import { runHistory } from './history.ts';

let tusk: Tusk;
let startedByOthers = 0;
beforeAll(async () => {
  // What others commit is seen within the time to live of a head: without one at once, so that it can be held against a clock.
  tusk = await startTusk({ env: { TUSK_HEAD_TTL_MS: '0', TUSK_ACCESS_LOG: 'off' } });
});
afterAll(() => tusk.stop());

it.each([
  ['requests of many clients on the same keys take effect one at a time', 1, false],
  ['and so they do while somebody else commits to the branch at pachd', 2, true],
])('%s', async (_, seed, outsider) => {
  const history = await runHistory([tusk.url], {
    seed,
    clients: 8,
    requestsEach: 40,
    pachdAt: tusk.pachdAddress,
    outsider,
  });
  startedByOthers += history.startedByOthers;
  expect(history.record.known()).toBeGreaterThan(300);
  expect(history.record.contradictions()).toEqual([]);
  expect(await harmDone(tusk.pachdAddress, startedByOthers)).toEqual(NO_HARM);
});
