import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { add, type Client, connect, type Devpachd, eventually, head, spawnDevpachd, tempFolder } from './harness.ts';

describe('two processes over one folder', () => {
  const folder = tempFolder();
  let processes: Devpachd[];
  let clients: Client[];

  beforeEach(async () => {
    processes = await Promise.all([spawnDevpachd(folder.path), spawnDevpachd(folder.path)]);
    clients = processes.map(({ address }) => connect(address));
  }, 30_000);
  afterEach(async () => {
    for (const client of clients) client.close();
    await Promise.all(processes.map((one) => one.end('SIGKILL')));
    folder.remove();
  });

  it('are one cluster: all writes land, each commit is finished once, by the one or the other', async () => {
    const [a, b] = clients as [Client, Client];
    await a.createRepo('shared');
    const writers = clients.flatMap((client, c) =>
      Array.from({ length: 4 }, async (_, w) => {
        for (let i = 0; i < 10; i++) await client.modify(head('shared'), [add(`/${c}-${w}-${i}`, `${i}`)]);
      }),
    );
    await Promise.all(writers);
    const [seenByA, seenByB] = await Promise.all([a.finished(head('shared')), b.finished(head('shared'))]);
    expect(seenByA.commit?.id).toBe(seenByB.commit?.id);
    expect(seenByA.details?.sizeBytes).toBe(80);
    expect(await a.list(head('shared'))).toHaveLength(80);
    expect(await b.list(head('shared'))).toEqual(await a.list(head('shared')));
    const finished = await Promise.all(clients.map(async (client) => (await client.counters()).commitsFinished));
    expect(finished.reduce((sum, count) => sum + count, 0)).toBe(80);
  }, 60_000);

  it('show at once what the other has answered, also while much is read', async () => {
    const [a, b] = clients as [Client, Client];
    await a.createRepo('fresh');
    await a.modify(head('fresh'), [add('/first', 'x')]);
    let over = false;
    // With reads under way all the time there is always a snapshot that a new read could have.
    const reading = Array.from({ length: 8 }, async () => {
      while (!over) await b.inspect(head('fresh'));
    });
    const missed: number[] = [];
    for (let i = 0; i < 200; i++) {
      const before = (await b.inspect(head('fresh'))).commit?.id;
      await a.modify(head('fresh'), [add(`/${i}`, 'x')]);
      if ((await b.inspect(head('fresh'))).commit?.id === before) missed.push(i);
    }
    over = true;
    await Promise.all(reading);
    expect(missed).toEqual([]);
  }, 60_000);

  it('share content: what both write is stored once, and each reads what the other wrote', async () => {
    const [a, b] = clients as [Client, Client];
    await a.createRepo('content');
    const content = Buffer.alloc(3_000_001, 'abc');
    await a.modify(head('content'), [add('/by-a', content)]);
    await b.modify(head('content'), [add('/by-b', content)]);
    await b.finished(head('content'));
    expect((await a.get(head('content'), '/by-b')).equals(content)).toBe(true);
    expect((await b.get(head('content'), '/by-a')).equals(content)).toBe(true);
  }, 30_000);

  it('finish what the other left when it died', async () => {
    const [a, b] = clients as [Client, Client];
    await a.createRepo('left');
    const writing = Promise.all(Array.from({ length: 30 }, (_, i) => a.modify(head('left'), [add(`/${i}`, 'x')])));
    await eventually(async () => (await a.counters()).commitsCreated > 10);
    await processes[0]?.end('SIGKILL');
    await writing.catch(() => undefined);
    const last = await b.finished(head('left'));
    expect(last.error).toBe('');
    await b.modify(head('left'), [add('/after', 'y')]);
    const after = await b.finished(head('left'));
    expect(after.parentCommit?.id).toBe(last.commit?.id);
  }, 30_000);
});
