import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommitRef } from '../../../src/pachd/model.ts';
import { eventually } from '../../support/eventually.ts';
import { allServe, headOf, type Node, type Pachds, someone, startPachds, startReaders } from './pachds.ts';

const READERS = 16;

let pachds: Pachds;
let one: Node;
let other: Node;
let head: CommitRef;
let readers: ReturnType<typeof startReaders>;

beforeEach(async () => {
  pachds = await startPachds(['127.0.0.1', '127.0.0.1']);
  [one, other] = pachds.nodes as [Node, Node];
  await allServe(pachds);
  head = await headOf(pachds.pachd);
  readers = startReaders(pachds.pachd, head, READERS);
  await readers.more(50);
});
afterEach(async () => {
  await readers.stop();
  await pachds.stop();
});

const callsOf = (node: Node) => pachds.status(node).calls;

/** Waits until calls go to it again. */
async function isUsed(node: Node): Promise<void> {
  const before = callsOf(node);
  await eventually(
    'it is used',
    () => callsOf(node),
    (calls) => calls > before + 20,
  );
}

describe('of two pachds under load, one', () => {
  it('shares the load with the other', () => {
    const [calls, others] = [callsOf(one), callsOf(other)];
    expect(Math.min(calls, others) / Math.max(calls, others)).toBeGreaterThan(0.5);
  });

  it('is killed: no read fails, what is written after goes to the other, and it is used again when it is back', async () => {
    await one.kill();
    await readers.more(100);
    const ejected = await pachds.becomes(one, 'ejected');
    expect(ejected.ejections).toBe(1);
    for (const branch of ['a', 'b', 'c']) {
      await pachds.pachd.createBranch(someone(), { project: 'bar', repo: 'foo', branch });
    }
    await one.revive();
    await pachds.becomes(one, 'serving');
    const [calls, others] = [callsOf(one), callsOf(other)];
    await readers.more(30);
    // It begins with a tenth, and has not its whole share for ten seconds.
    expect(callsOf(one) - calls).toBeLessThan((callsOf(other) - others) / 2);
    await isUsed(one);
    expect(readers.failures).toEqual([]);
  });

  it('stands still: what was asked of it is asked of the other, and it is used again when it goes on', async () => {
    one.signal('SIGSTOP');
    const ejected = await pachds.becomes(one, 'ejected');
    expect(ejected.why).toMatch(/does not answer|slower/);
    await readers.more(100);
    // Nobody waits for what it was asked before.
    await eventually(
      'it has nothing to do',
      () => pachds.status(one).inFlight,
      (calls) => calls === 0,
    );
    one.signal('SIGCONT');
    await pachds.becomes(one, 'serving');
    await isUsed(one);
    expect(readers.failures).toEqual([]);
  });

  it.each([300, 2_000])('is slow by %i ms: it is left alone until it is not', async (ms) => {
    await one.debug.setFaults([`* delay ${ms}`]);
    const ejected = await pachds.becomes(one, 'ejected');
    expect(ejected.why).toMatch(/slower than others|does not answer/);
    await readers.more(50);
    await one.debug.setFaults([]);
    await pachds.becomes(one, 'serving');
    expect(readers.failures).toEqual([]);
  });

  it('says that it is not there: it is left alone, and reads are asked of the other', async () => {
    await one.debug.setFaults(['InspectBranch error UNAVAILABLE']);
    const ejected = await pachds.becomes(one, 'ejected');
    expect(ejected.why).toContain('UNAVAILABLE');
    await readers.more(50);
    expect(readers.failures).toEqual([]);
  });
});
