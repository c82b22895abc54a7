import { expect, it } from 'vitest';
import { startTusk } from '../../support/tusk.ts';
import { fuzz } from './fuzz.ts';

it('100,000 spoiled requests bring nothing down, and memory stays bounded', async () => {
  const tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  try {
    const before = tusk.program.alive().map(({ pid }) => pid);
    const memory: number[] = [];
    for (const seed of [2, 3, 4, 5, 6]) {
      const { faults, memoryMiB } = await fuzz(tusk, { seed, cases: 20_000 });
      expect(faults).toEqual([]);
      memory.push(memoryMiB);
    }
    expect(tusk.program.alive().map(({ pid }) => pid)).toEqual(before);
    // Caches and buffers of 64 MiB each, and what Node lets lie until it needs the room.
    expect(Math.max(...memory)).toBeLessThan(600);
  } finally {
    await tusk.stop();
  }
}, 900_000);
