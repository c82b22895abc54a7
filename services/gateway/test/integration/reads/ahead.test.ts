// Small objects beside each other are read together.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../history/seeded.ts';
import { type Reading, startReading } from './reading.ts';

const OBJECTS = 500;
const READERS = 16;
const keys = Array.from({ length: OBJECTS }, (_, at) => `data/${String(at).padStart(5, '0')}.bin`);

let reading: Reading;
let alone: Reading;
beforeAll(async () => {
  const env = { TUSK_HEAD_TTL_MS: '60000' };
  [reading, alone] = await Promise.all([
    startReading(false, env),
    startReading(false, { ...env, TUSK_READ_BATCH: 'off' }),
  ]);
});
afterAll(() => Promise.all([reading.stop(), alone.stop()]));

/** Reads all keys in their order by several readers, and compares what comes. @returns the calls of pachd for contents */
async function readAll({ bucket, fill, ask, callsOf }: Reading, order: readonly string[], listed: boolean) {
  const name = await bucket();
  const contents = await fill(name, [...keys, 'data/sub/below.bin', 'data/large.bin'], 1_000);
  if (listed) for (const prefix of ['', 'data/']) await ask('GET', name, '', { query: [['prefix', prefix]] });
  const left = [...order];
  const reader = async () => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) {
      const { body } = await ask('GET', name, key);
      if (!body.equals(contents.get(key)!)) throw new Error(`${key} is not what was written`);
    }
  };
  const calls = await callsOf(() => Promise.all(Array.from({ length: READERS }, reader)));
  return calls['GetFileTAR'] ?? 0;
}

describe('500 objects of a folder, each once', () => {
  it.each([true, false])('in order, listed before: %s', async (listed) => {
    expect(await readAll(reading, keys, listed)).toBeLessThan(OBJECTS / (listed ? 15 : 5));
  });

  it('in any order', async () => {
    const choices = seeded(1);
    const shuffled = [...keys].sort(() => choices.below(2) - 0.5);
    expect(await readAll(reading, shuffled, false)).toBeLessThan(OBJECTS / 3);
  });

  it('one by one, when that is asked for', async () => {
    expect(await readAll(alone, keys, true)).toBe(OBJECTS);
  });
});
