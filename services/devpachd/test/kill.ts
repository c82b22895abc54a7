import { expect } from 'vitest';
import type { CommitInfo } from '../../../proto/gen/pfs/pfs.ts';
import {
  add,
  branch,
  type Client,
  call,
  commit,
  connect,
  copy,
  fileSet,
  head,
  remove,
  spawnDevpachd,
} from './harness.ts';

/** What a writer was told to be done, and what it asked for without an answer. */
interface Ledger {
  readonly acknowledged: Map<string, string>;
  readonly unanswered: Map<string, string | undefined>;
}

const WRITERS = 6;

/**
 * Kills devpachd again and again under load, at random moments, and after each restart holds the store against what was acknowledged:
 * all of that is there, and of an unanswered call all or nothing.
 */
export async function killAgainAndAgain(folder: string, kills: number): Promise<void> {
  const ledger: Ledger = { acknowledged: new Map(), unanswered: new Map() };
  let round = 0;
  for (; round <= kills; round++) {
    const server = await spawnDevpachd(folder);
    const client = connect(server.address);
    if (round === 0) await client.createRepo('kill');
    await check(client, ledger);
    if (round === kills) {
      client.close();
      await server.end();
      return;
    }
    let stop = false;
    const writers = Array.from({ length: WRITERS }, (_, w) => write(client, `${round}-${w}`, w, ledger, () => stop));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
    await server.end('SIGKILL');
    stop = true;
    await Promise.all(writers);
    client.close();
  }
}

/** One writer, each with a way of its own to write; every write is of two files that must come together. */
async function write(client: Client, name: string, way: number, ledger: Ledger, stopped: () => boolean): Promise<void> {
  for (let i = 0; !stopped(); i++) {
    const key = `/w${way}/${name}-${i}`;
    const content = `${name}-${i}-${'x'.repeat(Math.floor(Math.random() * 3000))}`;
    ledger.unanswered.set(key, content);
    try {
      await writeOne(client, key, content, way, `b${way}`);
    } catch {
      // Whether it was done is not known; the check finds out.
      return;
    }
    ledger.unanswered.delete(key);
    ledger.acknowledged.set(key, content);
  }
}

async function writeOne(client: Client, key: string, content: string, way: number, on: string): Promise<void> {
  const pair = [add(`${key}.a`, content), add(`${key}.b`, content)];
  switch (way % 4) {
    case 0:
    case 1:
      await client.modify(head('kill'), pair);
      return;
    case 2: {
      const id = await client.createFileSet(pair);
      await client.modify(head('kill'), [
        copy(`${key}.a`, fileSet(id), `${key}.a`),
        copy(`${key}.b`, fileSet(id), `${key}.b`),
        remove('/nothing'),
      ]);
      return;
    }
    default: {
      const started = await call<{ id: string }>((done) =>
        client.api.startCommit({ branch: branch('kill', on), parent: undefined, description: '' }, done),
      );
      const at = commit('kill', started.id);
      const id = await client.createFileSet(pair);
      await call((done) => client.api.addFileSet({ commit: at, fileSetId: id }, done));
      await call((done) => client.api.finishCommit({ commit: at, description: '', error: '', force: false }, done));
    }
  }
}

async function check(client: Client, ledger: Ledger): Promise<void> {
  const missing: string[] = [];
  for (const way of Array.from({ length: WRITERS }, (_, w) => w)) {
    const isOwnBranch = way % 4 === 3;
    const of = isOwnBranch ? head('kill', `b${way}`) : head('kill');
    if (isOwnBranch) await closeOpen(client, of);
    const found = await listAll(client, of, `/w${way}`);
    for (const [key, content] of ledger.acknowledged) {
      if (!key.startsWith(`/w${way}/`)) continue;
      for (const path of [`${key}.a`, `${key}.b`]) if (found.get(path) !== content.length) missing.push(path);
    }
    for (const [key] of ledger.unanswered) {
      if (!key.startsWith(`/w${way}/`)) continue;
      const halves = [found.get(`${key}.a`), found.get(`${key}.b`)].filter((size) => size !== undefined);
      if (halves.length === 1) missing.push(`half of ${key}`);
    }
  }
  expect(missing).toEqual([]);
  // Sizes are known to be right; of a few, the content as well.
  const some = [...ledger.acknowledged].sort(() => Math.random() - 0.5).slice(0, 5);
  for (const [key, content] of some) {
    const way = Number(/^\/w(\d+)/.exec(key)?.[1]);
    const of = way % 4 === 3 ? head('kill', `b${way}`) : head('kill');
    expect((await client.get(of, `${key}.a`)).toString()).toBe(content);
  }
  ledger.unanswered.clear();
}

/** A commit that was open when the server died is open still. Whoever opened it is gone. */
async function closeOpen(client: Client, of: ReturnType<typeof head>): Promise<void> {
  const info = await client.inspect(of).catch(() => undefined);
  if (!info || info.finishing) return;
  await call((done) => client.api.finishCommit({ commit: of, description: '', error: '', force: false }, done));
}

async function listAll(client: Client, of: ReturnType<typeof head>, path: string): Promise<Map<string, number>> {
  const info: CommitInfo | undefined = await client.finished(of).catch(() => undefined);
  if (!info) return new Map();
  expect(info.error).toBe('');
  const files = await client.list(of, path);
  return new Map(files.map((file) => [file.file?.path ?? '', file.sizeBytes]));
}
