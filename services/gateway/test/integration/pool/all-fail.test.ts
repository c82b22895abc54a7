import { afterEach, expect, it } from 'vitest';
import { isPachdError } from '../../../src/pachd/errors.ts';
import { eventually } from '../../support/eventually.ts';
import {
  allServe,
  BRANCH,
  CONTENT,
  headOf,
  type Node,
  type Pachds,
  someone,
  startPachds,
  startReaders,
  textOf,
} from './pachds.ts';

let pachds: Pachds;
afterEach(() => pachds.stop());

it('all pachds are killed under load: every call fails as unavailable, and all goes on by itself when one is back', async () => {
  pachds = await startPachds(['127.0.0.1', '127.0.0.1']);
  const { nodes, pachd } = pachds;
  await allServe(pachds);
  const head = await headOf(pachd);
  const readers = startReaders(pachd, head, 16);
  await readers.more(50);
  await Promise.all(nodes.map((node) => node.kill()));
  await eventually(
    'reads fail',
    () => readers.failures.length,
    (failed) => failed > 16,
  );
  await readers.stop();
  expect(readers.failures.filter((error) => !isPachdError(error, 'unavailable'))).toEqual([]);

  const asked = await Promise.allSettled(Array.from({ length: 500 }, () => pachd.inspectBranch(someone(), BRANCH)));
  for (const outcome of asked) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', delivery: 'none' } });
  }
  for (const node of nodes) expect(pachds.status(node)).toMatchObject({ state: 'ejected', inFlight: 0 });

  await nodes[1]?.revive();
  await eventually(
    'it goes on',
    () => textOf(pachd, head).catch(() => ''),
    (text) => text === CONTENT,
  );
  // What was asked when they died is not held to have killed them.
  expect(await pachd.inspectBranch(someone(), BRANCH)).toMatchObject({ headId: head.commitId });
});

it('what every pachd says is unavailable is asked of two of them, and not of the third', async () => {
  pachds = await startPachds(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  const { nodes, pachd } = pachds;
  await allServe(pachds);
  await Promise.all(nodes.map((node) => node.debug.setFaults(['InspectRepo error UNAVAILABLE'])));
  const repo = { project: BRANCH.project, repo: BRANCH.repo };
  await expect(pachd.inspectRepo(someone(), repo)).rejects.toMatchObject({ kind: 'unavailable' });
  const struck = await Promise.all(nodes.map(async (node) => (await node.debug.counters()).faultsInjected));
  expect(struck.toSorted()).toEqual([0, 1, 1]);
});

it('the only pachd cuts a connection: what is safe to repeat is repeated over another one, and nothing else', async () => {
  pachds = await startPachds(['127.0.0.1']);
  const [only] = pachds.nodes as [Node];
  await allServe(pachds);
  await only.debug.setFaults(['InspectBranch cut once', 'CreateRepo before cut once']);
  await pachds.pachd.inspectBranch(someone(), BRANCH);
  const repo = { project: 'bar', repo: 'new' };
  await expect(pachds.pachd.createRepo(someone(), repo)).rejects.toMatchObject({
    kind: 'unavailable',
    delivery: 'broken',
  });
  await expect(pachds.pachd.inspectRepo(someone(), repo)).rejects.toMatchObject({ kind: 'repo-not-found' });
});

it('the only pachd is paused: its callers are told, and it is used again when it goes on', async () => {
  pachds = await startPachds(['127.0.0.1']);
  const [only] = pachds.nodes as [Node];
  await allServe(pachds);
  only.signal('SIGSTOP');
  await expect(pachds.pachd.inspectBranch(someone(), BRANCH)).rejects.toMatchObject({ kind: 'unavailable' });
  expect(pachds.status(only)).toMatchObject({ state: 'ejected', inFlight: 0 });
  only.signal('SIGCONT');
  await pachds.becomes(only, 'serving');
  await pachds.pachd.inspectBranch(someone(), BRANCH);
});
