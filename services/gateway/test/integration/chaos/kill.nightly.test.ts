import { afterEach, it } from 'vitest';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { expectUnharmed } from './aftermath.ts';
import { killUnderLoad } from './kill.ts';

const MINUTES = 60_000;

let tusk: Tusk | undefined;
afterEach(() => tusk?.stop());

it.each([11, 12, 13, 14, 15])(
  'kill -9 of pachd, again and again: nothing acknowledged is lost (seed %i)',
  async (seed) => {
    tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
    const load = await killUnderLoad(tusk, { seed, program: 'devpachd', times: 4 });
    await expectUnharmed(tusk, load);
  },
  10 * MINUTES,
);
