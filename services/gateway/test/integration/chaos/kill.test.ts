import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { killUnderLoad } from './kill.ts';
import { noteFinalState, processesOf } from './load.ts';

let tusk: Tusk | undefined;
afterEach(() => tusk?.stop());

it('kill -9 of its pachd under load: nothing acknowledged is lost, and it goes on by itself', async () => {
  tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  const load = await killUnderLoad(tusk, { seed: 1, program: 'devpachd', times: 1 });
  await noteFinalState(tusk.url, load);
  expect(load.record.contradictions()).toEqual([]);
});

it('kill -9 of a worker under load: another takes its place, and nothing acknowledged is lost', async () => {
  const running = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  tusk = running;
  const load = await killUnderLoad(running, { seed: 2, program: 'worker-process', times: 2 });
  await noteFinalState(running.url, load);
  expect(load.record.contradictions()).toEqual([]);
  await eventually(
    'one worker runs',
    () => processesOf(running, 'worker-process').length,
    (count) => count === 1,
  );
});
