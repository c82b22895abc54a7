import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../src/pfs/write/budget.ts';

const never = new AbortController().signal;
const settled = async (promise: Promise<unknown>) => Promise.race([promise.then(() => true), Promise.resolve(false)]);

describe('the budget of buffered bytes', () => {
  it('is never exceeded, and serves who came first, first', async () => {
    const budget = createBudget(100);
    const giveBack = await budget.take(60, never);
    const large = budget.take(80, never);
    const small = budget.take(10, never);
    expect(await settled(large)).toBe(false);
    expect(await settled(small)).toBe(false);
    expect(budget.usedBytes()).toBe(60);
    giveBack();
    await large;
    await small;
    expect(budget.usedBytes()).toBe(90);
  });

  it('lets one through that asks for more than there is, alone', async () => {
    const budget = createBudget(100);
    const giveBack = await budget.take(1_000, never);
    expect(budget.usedBytes()).toBe(100);
    giveBack();
    expect(budget.usedBytes()).toBe(0);
  });

  it('forgets who goes away, and lets the next one through', async () => {
    const budget = createBudget(100);
    const giveBack = await budget.take(90, never);
    const leaving = new AbortController();
    const left = budget.take(50, leaving.signal);
    const behind = budget.take(10, never);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ kind: 'unavailable' });
    await behind;
    expect(budget.usedBytes()).toBe(100);
    giveBack();
    expect(budget.usedBytes()).toBe(10);
  });
});
