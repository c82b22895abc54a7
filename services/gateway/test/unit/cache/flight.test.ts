import { expect, it } from 'vitest';
import { createFlights } from '../../../src/cache/flight.ts';

class Denied extends Error {}

it('is one look-up for all who ask meanwhile, and another for who asks later', async () => {
  const flights = createFlights<number>();
  let looks = 0;
  const look = async () => {
    looks += 1;
    return looks;
  };
  expect(await Promise.all([flights('a', look), flights('a', look), flights('b', look)])).toEqual([1, 1, 2]);
  expect(await flights('a', look)).toBe(3);
});

it('tells all of a fault, but of what is wrong with one alone only him', async () => {
  const flights = createFlights<string>((error) => error instanceof Denied);
  const denied = flights('a', () => Promise.reject(new Denied('you')));
  const other = flights('a', async () => 'mine');
  await expect(denied).rejects.toThrow(Denied);
  expect(await other).toBe('mine');
  const faults = [flights('b', () => Promise.reject(new Error('lost'))), flights('b', async () => 'mine')];
  for (const fault of faults) await expect(fault).rejects.toThrow('lost');
});
