import { expect, it } from 'vitest';
import { startTusk } from '../../support/tusk.ts';
import { fuzz } from './fuzz.ts';

it('3,000 spoiled requests bring nothing down, and store nothing unsaid', async () => {
  const tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  try {
    const before = tusk.program.alive().map(({ pid }) => pid);
    const { answers, faults, memoryMiB } = await fuzz(tusk, { seed: 1, cases: 3_000 });
    expect(faults).toEqual([]);
    expect(tusk.program.alive().map(({ pid }) => pid)).toEqual(before);
    expect(memoryMiB).toBeLessThan(400);
    // It reaches what is behind the front door.
    for (const status of ['200', '204', '400', '403', '404', '412', '501'])
      expect(answers.has(status), status).toBe(true);
  } finally {
    await tusk.stop();
  }
});
