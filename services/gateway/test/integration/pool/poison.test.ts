import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { allServe, BRANCH, headOf, type Pachds, someone, startPachds } from './pachds.ts';

const REPO = { project: BRANCH.project, repo: BRANCH.repo };

let pachds: Pachds;
beforeEach(async () => {
  pachds = await startPachds(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  await allServe(pachds);
});
afterEach(() => pachds.stop());

async function everywhere(rule: string): Promise<void> {
  await Promise.all(pachds.nodes.map((node) => node.debug.setFaults([rule])));
}

const alive = () => pachds.nodes.filter((node) => !node.hasEnded());

it('a read that pachds die of is sent to two of them, and then to none for a while; others go on', async () => {
  await everywhere('InspectRepo die');
  await expect(pachds.pachd.inspectRepo(someone(), REPO)).rejects.toMatchObject({ kind: 'unavailable' });
  await eventually('two have died', alive, (nodes) => nodes.length === 1);
  const [survivor] = alive();

  for (let time = 0; time < 10; time++) {
    await expect(pachds.pachd.inspectRepo(someone(), REPO)).rejects.toThrow(/two pachds died under this call/);
  }
  await pachds.pachd.inspectBranch(someone(), BRANCH);
  // It lives, and does what it is told.
  await survivor?.debug.setFaults([]);
  await expect(pachds.pachd.inspectRepo(someone(), { project: 'bar', repo: 'absent' })).rejects.toMatchObject({
    kind: 'repo-not-found',
  });
});

it('a write that pachds die of is sent to one, and to another when its client asks again, and then to none', async () => {
  await everywhere('CreateRepo before die');
  const repo = { project: 'bar', repo: 'poison' };
  for (const left of [2, 1, 1, 1]) {
    await expect(pachds.pachd.createRepo(someone(), repo)).rejects.toMatchObject({ kind: 'unavailable' });
    await eventually('one more has died, or none', alive, (nodes) => nodes.length === left);
  }
  await expect(pachds.pachd.createRepo(someone(), repo)).rejects.toThrow(/two pachds died under this call/);
});

it('the death of a pachd is not laid to what it was asked, when another answers that', async () => {
  const [one, two, three] = pachds.nodes;
  for (const node of [one, two]) {
    await node?.debug.setFaults(['InspectRepo die once']);
    await Promise.all(Array.from({ length: 8 }, () => pachds.pachd.inspectRepo(someone(), REPO)));
  }
  await three?.debug.setFaults([]);
  await pachds.pachd.inspectRepo(someone(), REPO);
});

it('nor to a look for a folder, which is left before its end', async () => {
  const edit = { kind: 'add', path: '/folder/file', content: Buffer.from('x') } as const;
  await pachds.pachd.modifyFile(someone(), BRANCH, [edit]);
  const commit = await headOf(pachds.pachd);
  await pachds.pachd.inspectCommit(someone(), commit, 'finished');
  const look = () => pachds.pachd.hasBelow(someone(), commit, '/folder');
  for (const node of pachds.nodes.slice(0, 2)) {
    await node.debug.setFaults(['GlobFile die once']);
    expect(await Promise.all(Array.from({ length: 8 }, look))).not.toContain(false);
    await node.ended();
  }
  expect(await look()).toBe(true);
});

it('a connection that is cut is no death, however often', async () => {
  await everywhere('InspectRepo cut');
  for (let cut = 0; cut < 3; cut++) {
    await expect(pachds.pachd.inspectRepo(someone(), REPO)).rejects.toMatchObject({ delivery: 'broken' });
  }
  await Promise.all(pachds.nodes.map((node) => node.debug.setFaults([])));
  await pachds.pachd.inspectRepo(someone(), REPO);
});
