import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { allServe, BRANCH, headOf, type Pachds, someone, startPachds } from './pachds.ts';

let pachds: Pachds;
afterEach(() => pachds.stop());

it('a large object is read whole, though the pachd that sends it is killed in the middle', async () => {
  pachds = await startPachds(['127.0.0.1', '127.0.0.1']);
  const { pachd } = pachds;
  await allServe(pachds);
  const content = Buffer.alloc(16 << 20, 'The quick brown fox. ');
  await pachd.modifyFile(someone(), BRANCH, [{ kind: 'add', path: '/large', content }]);
  const head = await headOf(pachd);
  await pachd.inspectCommit(someone(), head, 'finished');

  const hash = createHash('sha256');
  let killed = 0;
  for await (const bytes of pachd.readFile(someone(), head, '/large', 0)) {
    hash.update(bytes);
    if (killed > 0) continue;
    killed += 1;
    await pachds.nodes.find((node) => pachds.status(node).inFlight > 0)?.kill();
  }
  expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  expect(pachds.nodes.filter((node) => node.hasEnded())).toHaveLength(1);
});
