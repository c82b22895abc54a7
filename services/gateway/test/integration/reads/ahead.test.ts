// Small objects beside each other are read together.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../history/seeded.ts';
import { type Reading, startReading } from './reading.ts';

const OBJECTS = 500;
const READERS = 16;
const keys = Array.from({ length: OBJECTS }, (_, at) => `data/${String(at).padStart(5, '0')}.bin`);

type Contents = ReadonlyMap<string, Buffer>;

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

/** Reads keys in this order by several readers, and compares what comes. @returns how many calls of pachd gave contents */
async function readAll({ ask, callsOf }: Reading, bucket: string, contents: Contents, order: readonly string[]) {
  const left = [...order];
  const reader = async () => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) {
      const { body } = await ask('GET', bucket, key);
      if (!body.equals(contents.get(key)!)) throw new Error(`${key} is not what was written`);
    }
  };
  const calls = await callsOf(() => Promise.all(Array.from({ length: READERS }, reader)));
  return calls['GetFileTAR'] ?? 0;
}

async function newBucket({ bucket, fill }: Reading): Promise<readonly [string, Contents]> {
  const name = await bucket();
  return [name, await fill(name, [...keys, 'data/sub/below.bin', 'data/large.bin'], 1_000)];
}

const list = ({ ask }: Reading, bucket: string) => ask('GET', bucket, '', { query: [['prefix', 'data/']] });

describe('500 objects of a folder, each once', () => {
  it.each([
    ['in order', keys],
    ['in any order', shuffled(keys)],
  ])('%s, when they were listed before', async (_, order) => {
    const [bucket, contents] = await newBucket(reading);
    await list(reading, bucket);
    expect(await readAll(reading, bucket, contents, order)).toBeLessThan(OBJECTS / 15);
  });

  it('when nobody listed them: tusk does, as soon as some were read', async () => {
    const [bucket, contents] = await newBucket(reading);
    const [first, rest] = [keys.slice(0, 10), keys.slice(10)];
    const lists = async () => (await reading.debug.counters()).calls['pfs_v2.API/GlobFile'] ?? 0;
    const before = await lists();
    const listed = async () => {
      expect(await readAll(reading, bucket, contents, first)).toBeLessThanOrEqual(first.length);
      await eventually('the folder is listed', lists, (count) => count > before);
    };
    await reading.callsOf(listed);
    expect(await readAll(reading, bucket, contents, rest)).toBeLessThan(OBJECTS / 10);
  });

  it('one by one, when that is asked for', async () => {
    const [bucket, contents] = await newBucket(alone);
    await list(alone, bucket);
    expect(await readAll(alone, bucket, contents, keys)).toBe(OBJECTS);
  });
});

function shuffled(all: readonly string[]): readonly string[] {
  const choices = seeded(1);
  return [...all].sort(() => choices.below(2) - 0.5);
}
