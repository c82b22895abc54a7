import { beforeEach, expect, it } from 'vitest';
import type { Call } from '../../../src/pachd/attempt.ts';
import { createQuarantine, type Quarantine } from '../../../src/pachd/quarantine.ts';

let nowMs: number;
let quarantine: Quarantine;

beforeEach(() => {
  nowMs = 1_000;
  quarantine = createQuarantine({ now: () => nowMs });
});

function call(about: string | undefined): Call {
  return { name: 'GetFile', repeat: 'safe', deadlineMs: 1_000, ...(about === undefined ? {} : { about }) };
}

/** Sends it to one more pachd, which dies. */
function die(what: Call): void {
  quarantine.died(what, quarantine.isSuspect(what));
}

it('a call is suspect after one death, held after two, and free after a minute', () => {
  expect(quarantine.isSuspect(call('a'))).toBe(false);
  die(call('a'));
  expect([quarantine.isSuspect(call('a')), quarantine.isHeld(call('a'))]).toEqual([true, false]);
  die(call('a'));
  expect(quarantine.isHeld(call('a'))).toBe(true);
  nowMs += 60_001;
  expect([quarantine.isSuspect(call('a')), quarantine.isHeld(call('a'))]).toEqual([false, false]);
});

it('it is known by its name and by what it is about, and by nothing less', () => {
  die(call('a'));
  die(call('a'));
  expect(quarantine.isHeld(call('b'))).toBe(false);
  expect(quarantine.isHeld({ ...call('a'), name: 'GlobFile' })).toBe(false);
  die(call(undefined));
  expect(quarantine.isSuspect(call(undefined))).toBe(false);
});

it('what a pachd answers is nobody’s death', () => {
  die(call('a'));
  quarantine.survived(call('a'));
  die(call('a'));
  expect(quarantine.isHeld(call('a'))).toBe(false);
});

it('those that were under way together when pachds died are not held, however many pachds it was', () => {
  const suspects = [1, 2, 3].map(() => quarantine.isSuspect(call('a')));
  for (const suspect of suspects) quarantine.died(call('a'), suspect);
  expect([quarantine.isSuspect(call('a')), quarantine.isHeld(call('a'))]).toEqual([true, false]);
});
