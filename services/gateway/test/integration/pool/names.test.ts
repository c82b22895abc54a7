import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { BRANCH, headOf, type Node, type Pachds, someone, startPachds } from './pachds.ts';

let pachds: Pachds;
afterEach(() => pachds.stop());

const nameOf = (host: string) => (port: number) => [{ host, port, tls: false }];

it('each address of a name is a pachd; one that is gone gets no more calls, and ends those that it has', async () => {
  let addresses = ['127.0.0.1'];
  pachds = await startPachds(['127.0.0.1', '127.0.0.2'], {
    samePort: true,
    targets: nameOf('pachd.example'),
    lookup: async () => addresses,
  });
  const { pachd, pool } = pachds;
  const [one, two] = pachds.nodes as [Node, Node];
  await pachd.inspectBranch(someone(), BRANCH);
  expect(pool.status().map(({ address }) => address)).toEqual([one.address]);

  const head = await headOf(pachd);
  await one.debug.setFaults(['InspectCommit delay 8000']);
  // A look-up that waits is not asked of others when it is slow.
  const underWay = pachd.inspectCommit(someone(), head, 'finished');
  addresses = ['127.0.0.2'];
  await pachds.becomes(two, 'serving');
  await pachds.becomes(one, 'draining');
  const before = pachds.status(one).calls;
  for (let call = 0; call < 20; call++) await pachd.inspectBranch(someone(), BRANCH);
  expect(pachds.status(one)).toMatchObject({ inFlight: 1, calls: before });
  expect(await underWay).toMatchObject({ state: 'finished' });
  await eventually(
    'it is forgotten',
    () => pool.status().map(({ address }) => address),
    (all) => !all.includes(one.address),
  );
});

it('the names of this machine are looked up as the system does', async () => {
  pachds = await startPachds(['127.0.0.1'], { targets: nameOf('localhost') });
  await pachds.pachd.inspectBranch(someone(), BRANCH);
  expect(pachds.pool.status()).toContainEqual(
    expect.objectContaining({ address: pachds.nodes[0]?.address, state: 'serving' }),
  );
});

it('a name without an address is told, and looked up until it has one', async () => {
  let addresses: readonly string[] = [];
  pachds = await startPachds(['127.0.0.1'], { targets: nameOf('pachd.example'), lookup: async () => addresses });
  await expect(pachds.pachd.inspectBranch(someone(), BRANCH)).rejects.toThrow(/pachd.example has no address/);
  addresses = ['127.0.0.1'];
  await eventually(
    'it answers',
    () =>
      pachds.pachd.inspectBranch(someone(), BRANCH).then(
        () => true,
        () => false,
      ),
    (answers) => answers,
  );
});
