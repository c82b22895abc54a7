import { describe, expect, it } from 'vitest';
import { type Candidate, chooseOfTwo, RETURN_MS, shareOf } from '../../../src/pachd/balance.ts';
import { seeded } from '../../integration/history/seeded.ts';

const ALWAYS = Number.NEGATIVE_INFINITY;

function candidate(name: string, inFlight = 0, servingSinceMs = ALWAYS): Candidate & { name: string } {
  return { name, inFlight, servingSinceMs };
}

/** How often each of them is chosen in 10,000 draws. */
function draws(candidates: readonly (Candidate & { name: string })[], nowMs = 0): Record<string, number> {
  const choices = seeded(7);
  const random = () => choices.below(2 ** 30) / 2 ** 30;
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < 10_000; draw++) {
    const name = chooseOfTwo(candidates, nowMs, random)?.name ?? 'none';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('the choice of two', () => {
  it('is none of none, and the one of one', () => {
    expect(chooseOfTwo([], 0)).toBeUndefined();
    expect(chooseOfTwo([candidate('a', 9)], 0)).toMatchObject({ name: 'a' });
  });

  it('is always the less loaded of a pair', () => {
    expect(draws([candidate('a', 3), candidate('b', 2)])).toEqual({ b: 10_000 });
  });

  it('is even among those that have as much to do', () => {
    const counts = draws(['a', 'b', 'c', 'd'].map((name) => candidate(name, 5)));
    for (const name of ['a', 'b', 'c', 'd']) expect(counts[name]).toBeGreaterThan(2_300);
  });

  it('never falls on the most loaded of several, nor always on the least', () => {
    const counts = draws([candidate('a', 9), candidate('b', 1), candidate('c', 0)]);
    expect(counts['a']).toBeUndefined();
    expect(counts['b']).toBeGreaterThan(2_500);
    expect(counts['c']).toBeGreaterThan(5_500);
  });
});

describe('one that came back', () => {
  it.each([
    [0, 0.1],
    [RETURN_MS / 2, 0.55],
    [RETURN_MS, 1],
    [10 * RETURN_MS, 1],
  ])('has after %i ms a share of %f', (servedMs, share) => {
    expect(shareOf(candidate('a', 0, 1_000), 1_000 + servedMs)).toBeCloseTo(share);
  });

  it('gets as much as its share, even when it has nothing to do', () => {
    const counts = draws([candidate('old', 5), candidate('back', 0, 0)], 0);
    expect(counts['back']).toBeGreaterThan(900);
    expect(counts['back']).toBeLessThan(1_100);
  });

  it('gets everything where all came back', () => {
    expect(draws([candidate('back', 0, 0)], 0)).toEqual({ back: 10_000 });
  });
});
