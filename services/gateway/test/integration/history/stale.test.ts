import { expect, it } from 'vitest';
import type { Effect, Operation } from './linearizable.ts';
import { findStaleRead } from './stale.ts';

const write = (value: string | undefined): Effect => ({ kind: 'write', value });
const read = (value: string | undefined): Effect => ({ kind: 'read', value });
const done = (calledAt: number, answeredAt: number, effect: Effect): Operation => ({
  calledAt,
  answeredAt,
  effect,
  unsure: false,
});
const unsure = (calledAt: number, effect: Effect): Operation => ({
  calledAt,
  answeredAt: calledAt,
  effect,
  unsure: true,
});

it.each<[what: string, operations: readonly Operation[]]>([
  ['what was overwritten', [done(1, 2, write('a')), done(3, 4, write('b')), done(5, 6, read('a'))]],
  ['what was deleted', [done(1, 2, write('a')), done(3, 4, write(undefined)), done(5, 6, read('a'))]],
  ['nothing, where there is an object', [done(1, 2, write('a')), done(3, 4, read(undefined))]],
  ['back in time', [done(1, 2, write('a')), done(3, 9, write('b')), done(4, 5, read('b')), done(6, 7, read('a'))]],
  [
    'back in time, over a write that nobody answered',
    [done(1, 2, write('a')), unsure(3, write('b')), done(4, 5, read('b')), done(6, 7, read('a'))],
  ],
])('is found: %s', (_what, operations) => {
  expect(findStaleRead(operations)?.read).toBe(operations.at(-1));
});

it.each<[what: string, operations: readonly Operation[]]>([
  ['of two writes at once', [done(1, 4, write('a')), done(2, 3, write('b')), done(5, 6, read('a'))]],
  ['during the write', [done(1, 2, write('a')), done(3, 6, write('b')), done(4, 5, read('a'))]],
  [
    'over a write that may never have been done',
    [done(1, 2, write('a')), unsure(3, write('b')), done(4, 5, read('a'))],
  ],
  [
    'over a deletion that may have been done',
    [done(1, 2, write('a')), unsure(3, write(undefined)), done(4, 5, read(undefined))],
  ],
  [
    'of a deletion at the same moment',
    [done(1, 4, write('a')), done(2, 3, write(undefined)), done(5, 6, read(undefined))],
  ],
  ['before everything', [done(1, 2, read(undefined)), done(3, 4, write('a'))]],
])('is none: a read %s', (_what, operations) => {
  expect(findStaleRead(operations)).toBeUndefined();
});
