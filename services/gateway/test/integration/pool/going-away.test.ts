import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPachd, type Pachd } from '../../../src/pachd/client.ts';
import type { MemberStatus } from '../../../src/pachd/member.ts';
import { openPool, type Pool } from '../../../src/pachd/pool.ts';
import { eventually } from '../../support/eventually.ts';
import { BRANCH, someone } from './pachds.ts';
import { type Standin, startStandin } from './standin.ts';

let one: Standin;
let other: Standin;
let pool: Pool;
let pachd: Pachd;

beforeEach(async () => {
  [one, other] = [await startStandin(), await startStandin()];
  pool = openPool([one.target, other.target]);
  pachd = createPachd(pool);
  for (const server of [one, other]) await becomes(server, ['serving']);
});
afterEach(() => {
  pool.close();
  for (const server of [one, other]) server.stop();
});

const statusOf = ({ address }: Standin) => pool.status().find((member) => member.address === address) as MemberStatus;

async function becomes(server: Standin, states: readonly MemberStatus['state'][]): Promise<void> {
  await eventually(
    `it is ${states.join(' or ')}`,
    () => statusOf(server).state,
    (state) => states.includes(state),
  );
}

const look = () => pachd.inspectBranch(someone(), BRANCH);

/** A call that is under way at the first one, and not answered yet; where it is slow, the other is asked as well, and slow too. */
async function underWayAtOne() {
  for (const server of [one, other]) server.hold();
  const looks: Promise<unknown>[] = [];
  await eventually(
    'it has a call',
    () => {
      looks.push(look());
      return one.calls();
    },
    (calls) => calls > 0,
  );
  other.release();
  return looks;
}

describe('a pachd that is going away', () => {
  it('and says so by its health gets no more calls, and is used again when it serves', async () => {
    const looks = await underWayAtOne();
    one.serve(false);
    await becomes(one, ['draining']);
    one.release();
    await Promise.all(looks);
    const before = one.calls();
    for (let call = 0; call < 20; call++) await look();
    expect(one.calls()).toBe(before);
    one.serve(true);
    await becomes(one, ['serving']);
    await eventually(
      'it is used',
      async () => look().then(one.calls),
      (calls) => calls > before,
    );
  });

  it('and says so by GOAWAY ends what it has, and gets no more', async () => {
    const looks = await underWayAtOne();
    const left = one.leave();
    await becomes(one, ['draining', 'ejected']);
    const before = one.calls();
    for (let call = 0; call < 20; call++) await look();
    expect(one.calls()).toBe(before);
    one.release();
    await Promise.all(looks);
    await left;
  });
});

describe('a deadline', () => {
  it('of the caller travels with the call, where it is nearer than that of the call', async () => {
    const deadlineMs = Date.now() + 9_000;
    await pachd.inspectBranch(someone(deadlineMs), BRANCH);
    const seen = [one, other].map((server) => server.lastDeadlineMs()).find((at) => at > 0) ?? 0;
    // What travels is the time that is left, in whole milliseconds.
    expect(Math.abs(seen - deadlineMs)).toBeLessThan(1_000);
  });

  it('ends a call that is under way, and one that is past is not sent', async () => {
    for (const server of [one, other]) server.hold();
    await expect(pachd.inspectBranch(someone(Date.now() + 300), BRANCH)).rejects.toMatchObject({ kind: 'deadline' });
    const before = one.calls() + other.calls();
    await expect(pachd.inspectBranch(someone(Date.now() - 1), BRANCH)).rejects.toMatchObject({ kind: 'deadline' });
    expect(one.calls() + other.calls()).toBe(before);
    for (const server of [one, other]) server.release();
  });
});

describe('a small look-up', () => {
  it('that is slow is asked of another, whose answer counts; the first is cancelled', async () => {
    one.hold();
    await eventually(
      'the other was asked in its place',
      () => look().then(() => statusOf(other).hedges),
      (hedges) => hedges > 0,
    );
    await eventually(
      'nobody waits for the first',
      () => statusOf(one).inFlight,
      (calls) => calls === 0,
    );
    one.release();
  });
});
