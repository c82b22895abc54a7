import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFairCache } from '../../../src/cache/fair.ts';

const MAX_BYTES = 10_000;
const value = (bytes: number) => Buffer.alloc(bytes);

it('gives one group all of it, and takes half back when another comes', () => {
  const cache = createFairCache(MAX_BYTES);
  const fill = (group: string, from: number) => {
    for (let key = from; key < from + 100; key++) cache.set(group, String(key), value(400));
  };
  const held = (group: string) =>
    Array.from({ length: 300 }, (_, key) => cache.get(group, String(key))).filter(Boolean);
  fill('large', 0);
  expect(held('large').length).toBeGreaterThan(15);
  fill('other', 0);
  expect(Math.abs(held('large').length - held('other').length)).toBeLessThanOrEqual(1);
});

it('keeps the few of one group, whatever another reads', () => {
  const cache = createFairCache(MAX_BYTES);
  for (const key of ['a', 'b']) cache.set('few', key, value(1_000));
  for (let key = 0; key < 1_000; key++) cache.set('many', String(key), value(900));
  expect(cache.get('few', 'a')).toBeDefined();
  expect(cache.get('few', 'b')).toBeDefined();
});

it('holds no more than it may, and nothing of a value that is too large for all of it', () => {
  const group = fc.constantFrom('a', 'b', 'c');
  const sets = fc.array(fc.tuple(group, fc.nat(20), fc.nat(12_000)), { maxLength: 200 });
  fc.assert(
    fc.property(sets, (all) => {
      const cache = createFairCache(MAX_BYTES);
      for (const [name, key, bytes] of all) {
        cache.set(name, String(key), value(bytes));
        expect(cache.sizeBytes()).toBeLessThanOrEqual(MAX_BYTES);
        const kept = cache.get(name, String(key));
        expect(kept?.length ?? bytes).toBe(bytes);
      }
    }),
  );
});
