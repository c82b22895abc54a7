import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishingIn } from '../src/latency/latency.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { add, branch, type Client, call, commit, connect, fileSet, head, tempFolder } from './harness.ts';

const FINISH_MS = 400;

describe('while commits are finishing', () => {
  const folder = tempFolder();
  let server: RunningServer;
  let client: Client;

  beforeAll(async () => {
    const latency = finishingIn(FINISH_MS);
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: false, seed: false, latency });
    client = connect(server.address);
  });
  afterAll(async () => {
    client.close();
    await server.close();
    folder.remove();
  });

  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it was not refused'),
      (error: { details: string }) => error.details,
    );

  it('reads wait until FINISHED, and what the commit adds can be read at once', async () => {
    await client.createRepo('r');
    await client.modify(head('r'), [add('/a', '1')]);
    const finishing = await client.inspect(head('r'));
    expect([finishing.finishing !== undefined, finishing.finished]).toEqual([true, undefined]);
    const own = await call<{ fileSetId: string }>((done) =>
      client.api.getFileSet({ commit: head('r'), type: 1 }, done),
    );
    expect((await client.get(fileSet(own.fileSetId), '/a')).toString()).toBe('1');
    expect((await client.inspect(head('r'))).finished).toBeUndefined();
    expect((await client.get(head('r'), '/a')).toString()).toBe('1');
    expect((await client.inspect(head('r'))).finished).toBeDefined();
  });

  it('an open commit on an unfinished parent cannot be read', async () => {
    await client.createRepo('s');
    await client.modify(head('s'), [add('/a', '1')]);
    const parent = (await client.inspect(head('s'))).commit?.id;
    const open = await call<{ id: string }>((done) =>
      client.api.startCommit({ branch: branch('s'), parent: undefined, description: '' }, done),
    );
    const why = `base commit default/s@${parent} for commit default/s@${open.id} unfinished`;
    expect(await refusal(client.inspectFile(commit('s', open.id), '/a'))).toBe(why);
    expect(await refusal(client.list(commit('s', open.id)))).toBe(why);
    expect(await refusal(client.get(commit('s', open.id), '/a'))).toBe(`get file: ${why}`);
    await client.finished(commit('s', parent ?? ''));
    expect((await client.get(commit('s', open.id), '/a')).toString()).toBe('1');
  });

  it('commits of a repo become FINISHED one after the other, in their order', async () => {
    await client.createRepo('t');
    for (const name of ['/1', '/2', '/3']) await client.modify(head('t'), [add(name, 'x')]);
    const chain = [];
    for (
      let at = await client.finished(head('t'));
      ;
      at = await client.inspect(commit('t', at.parentCommit?.id ?? ''))
    ) {
      chain.unshift((at.finished?.seconds ?? 0) * 1000 + (at.finished?.nanos ?? 0) / 1e6);
      if (!at.parentCommit) break;
    }
    expect(chain).toEqual([...chain].sort((a, b) => a - b));
    expect(new Set(chain).size).toBe(3);
  });
});
