import { expect, it } from 'vitest';
import { createRetryBudget } from '../../../src/pachd/budget.ts';

function countOf(take: () => boolean): number {
  let count = 0;
  while (take()) count += 1;
  return count;
}

it('what is sent twice is a tenth of all, and what was saved', () => {
  const budget = createRetryBudget(() => 0);
  expect(countOf(budget.take)).toBe(250);
  for (let call = 0; call < 1_005; call++) budget.earn();
  expect(countOf(budget.take)).toBe(100);
});

it('no more is saved than one pachd has under way', () => {
  const budget = createRetryBudget(() => 0);
  for (let call = 0; call < 100_000; call++) budget.earn();
  expect(countOf(budget.take)).toBe(250);
});

it('time earns one a second, where nothing is called', () => {
  let nowMs = 0;
  const budget = createRetryBudget(() => nowMs);
  countOf(budget.take);
  nowMs = 3_500;
  expect(countOf(budget.take)).toBe(3);
});

it('those who could wait leave half of it to those who cannot', () => {
  const budget = createRetryBudget(() => 0);
  expect(countOf(budget.takeSpare)).toBe(125);
  expect(countOf(budget.take)).toBe(125);
});
