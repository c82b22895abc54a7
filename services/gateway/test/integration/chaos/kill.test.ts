import { afterEach, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { expectUnharmed } from './aftermath.ts';
import { killUnderLoad } from './kill.ts';
import { processesOf } from './load.ts';

let tusk: Tusk | undefined;
afterEach(() => tusk?.stop());

it('kill -9 of its pachd under load: nothing acknowledged is lost, and it goes on by itself', async () => {
  tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  const load = await killUnderLoad(tusk, { seed: 1, program: 'devpachd', times: 1 });
  await expectUnharmed(tusk, load);
});

it('kill -9 of a worker under load: another takes its place, and nothing acknowledged is lost', async () => {
  const running = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  tusk = running;
  const load = await killUnderLoad(running, { seed: 2, program: 'worker-process', times: 2 });
  await expectUnharmed(running, load);
  await eventually(
    'one worker runs',
    () => processesOf(running, 'worker-process').length,
    (count) => count === 1,
  );
});
