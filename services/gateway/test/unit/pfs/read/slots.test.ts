import { expect, it } from 'vitest';
import { Failure } from '../../../../src/pfs/failure.ts';
import { createSlots } from '../../../../src/pfs/read/slots.ts';

/** Reads that end when they are told to. */
function startReads(slotsMax: number, waitingMax: number) {
  const slots = createSlots(slotsMax, waitingMax);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const read = (repo: string): Promise<void> =>
    slots.with(repo, () => {
      begun.push(repo);
      return new Promise((resolve) => ends.push(resolve));
    });
  const begin = () => new Promise((resolve) => setImmediate(resolve));
  const endOne = async () => {
    await begin();
    ends.shift()?.();
    await begin();
  };
  return { begun, read, endOne };
}

it('lets so many read at once, and repos take turns', async () => {
  const { begun, read, endOne } = startReads(2, 100);
  for (let one = 0; one < 6; one++) void read('many');
  void read('few');
  await endOne();
  expect(begun).toEqual(['many', 'many', 'many']);
  await endOne();
  expect(begun[3]).toBe('few');
  for (let one = 0; one < 6; one++) await endOne();
  expect(begun).toHaveLength(7);
});

it('refuses who would wait behind too many of its repo, and nobody else', async () => {
  const { begun, read, endOne } = startReads(1, 2);
  for (let one = 0; one < 3; one++) void read('a');
  await expect(read('a')).rejects.toThrow(Failure);
  void read('b');
  for (let one = 0; one < 4; one++) await endOne();
  expect(begun).toEqual(['a', 'a', 'b', 'a']);
});

it('gives the slot back when a read fails', async () => {
  const slots = createSlots(1, 1);
  await expect(slots.with('a', () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  expect(await slots.with('a', async () => 'read')).toBe('read');
});
