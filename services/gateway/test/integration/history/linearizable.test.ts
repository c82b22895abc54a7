import { expect, it } from 'vitest';
import { type Effect, isLinearizable, type Operation } from './linearizable.ts';

const write = (value: string | undefined): Effect => ({ kind: 'write', value });
const read = (value: string | undefined): Effect => ({ kind: 'read', value });
const create = (value: string): Effect => ({ kind: 'create', value });
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

const LOST_DELETIONS = [unsure(1, write(undefined)), unsure(1, write(undefined))];

it.each<[what: string, operations: readonly Operation[]]>([
  ['nothing', []],
  ['a read of a write', [done(1, 2, write('a')), done(3, 4, read('a'))]],
  ['a read during a write, of before', [done(1, 4, write('a')), done(2, 3, read(undefined))]],
  ['two writes at once, read in either order', [done(1, 4, write('a')), done(1, 4, write('b')), done(5, 6, read('a'))]],
  ['one of two creations', [done(1, 4, create('a')), done(1, 4, { kind: 'present' }), done(5, 6, read('a'))]],
  ['a creation after a deletion', [done(1, 2, create('a')), done(3, 6, write(undefined)), done(4, 5, create('b'))]],
  [
    'a lost answer, of a write that was done late',
    [unsure(1, write('a')), done(2, 3, read(undefined)), done(4, 5, read('a'))],
  ],
  ['a lost answer, of a write that was never done', [unsure(1, write('a')), done(2, 3, read(undefined))]],
  [
    'two lost answers, of deletions that were both done',
    [
      ...LOST_DELETIONS,
      done(2, 3, write('a')),
      done(4, 5, read(undefined)),
      done(6, 7, write('b')),
      done(8, 9, read(undefined)),
    ],
  ],
  [
    'a lost answer of a write that was done, and that nobody saw but by its being there',
    [unsure(1, write('a')), unsure(1, write('b')), done(2, 3, { kind: 'present' }), done(4, 5, write('c'))],
  ],
  ['a swap', [done(1, 2, write('a')), done(3, 4, { kind: 'swap', over: 'a', value: 'b' }), done(5, 6, read('b'))]],
])('holds: %s', (_what, operations) => {
  expect(isLinearizable(operations)).toBe(true);
});

it.each<[what: string, operations: readonly Operation[]]>([
  ['a lost write', [done(1, 2, write('a')), done(3, 4, read(undefined))]],
  ['a stale read', [done(1, 2, write('a')), done(3, 4, write('b')), done(5, 6, read('a'))]],
  ['a read of what nobody wrote', [done(1, 2, read('a'))]],
  ['two creations', [done(1, 4, create('a')), done(1, 4, create('b'))]],
  [
    'a value that comes back',
    [
      done(1, 9, write('a')),
      done(1, 9, write('b')),
      done(2, 3, read('a')),
      done(4, 5, read('b')),
      done(6, 7, read('a')),
    ],
  ],
  ['a refused write that was done', [unsure(5, write('a')), done(1, 2, read('a'))]],
  [
    'a deletion more than there were',
    [
      ...LOST_DELETIONS,
      done(2, 3, write('a')),
      done(4, 5, read(undefined)),
      done(6, 7, write('b')),
      done(8, 9, read(undefined)),
      done(10, 11, write('c')),
      done(12, 13, read(undefined)),
    ],
  ],
  ['a lost deletion', [done(1, 2, write('a')), done(3, 4, write(undefined)), done(5, 6, { kind: 'present' })]],
])('does not hold: %s', (_what, operations) => {
  expect(isLinearizable(operations)).toBe(false);
});
