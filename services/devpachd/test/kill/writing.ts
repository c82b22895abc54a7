import { expect } from 'vitest';
import type { Commit, CommitInfo } from '../../../../proto/gen/pfs/pfs.ts';
import { add, branch, type Client, call, commit, copy, fileSet, head, remove } from '../harness.ts';
import { createLedger } from './ledger.ts';

/** One way to write: again and again under load, and after each restart its part of the store is held against what was answered. */
export interface Way {
  readonly setUp: (client: Client) => Promise<unknown>;
  /** Makes one change, or a few, under a name that no other has. Rejects when a call is not answered. */
  readonly write: (client: Client, name: string) => Promise<void>;
  readonly check: (client: Client) => Promise<void>;
}

const SAMPLES = 5;

/** Files in pairs, each pair by one transaction, on a branch of their own. */
function writingPairs(repo: string, write: (client: Client, key: string, content: string) => Promise<unknown>): Way {
  const ledger = createLedger<string>();
  return {
    setUp: (client) => client.createRepo(repo),
    write: (client, name) => {
      const content = `${name} ${'x'.repeat(Math.floor(Math.random() * 3000))}`;
      return ledger.change(`/${name}`, content, 'there', () => write(client, `/${name}`, content));
    },
    check: async (client) => {
      await closeOpen(client, head(repo));
      const found = await listAll(client, head(repo));
      const expected = new Set<string>();
      await ledger.check((key, content) => {
        const sizes = [found.get(`${key}.a`), found.get(`${key}.b`)];
        if (sizes.every((size) => size === undefined)) return false;
        if (sizes.some((size) => size !== content.length)) throw new Error(`half of ${repo}:${key}: ${sizes}`);
        for (const end of ['.a', '.b']) expected.add(key + end);
        return true;
      });
      // The whole tree: nothing else is there.
      expect([...found.keys()].filter((path) => !expected.has(path))).toEqual([]);
      const some = [...ledger.there()].sort(() => Math.random() - 0.5).slice(0, SAMPLES);
      for (const [key, content] of some) expect((await client.get(head(repo), `${key}.b`)).toString()).toBe(content);
    },
  };
}

const pairOf = (key: string, content: string) => [add(`${key}.a`, content), add(`${key}.b`, content)];

export const oneOff = (repo: string): Way =>
  writingPairs(repo, (client, key, content) => client.modify(head(repo), pairOf(key, content)));

export const copying = (repo: string): Way =>
  writingPairs(repo, async (client, key, content) => {
    const id = fileSet(await client.createFileSet(pairOf(key, content)));
    const copies = ['.a', '.b'].map((end) => copy(key + end, id, key + end));
    await client.modify(head(repo), [...copies, remove('/nothing')]);
  });

export const startingAndFinishing = (repo: string): Way =>
  writingPairs(repo, async (client, key, content) => {
    const request = { branch: branch(repo), parent: undefined, description: '' };
    const { id } = await call<Commit>((done) => client.api.startCommit(request, done));
    const at = commit(repo, id);
    const fileSetId = await client.createFileSet(pairOf(key, content));
    await call((done) => client.api.addFileSet({ commit: at, fileSetId }, done));
    await call((done) => client.api.finishCommit({ commit: at, description: '', error: '', force: false }, done));
  });

/** A commit that was open when the server died is open still. Whoever opened it is gone. */
async function closeOpen(client: Client, of: Commit): Promise<void> {
  const info = await client.inspect(of).catch(() => undefined);
  if (!info || info.finishing) return;
  await call((done) => client.api.finishCommit({ commit: of, description: '', error: '', force: false }, done));
}

async function listAll(client: Client, of: Commit): Promise<Map<string, number>> {
  const info: CommitInfo | undefined = await client.finished(of).catch(() => undefined);
  if (!info) return new Map();
  expect(info.error).toBe('');
  const files = await client.list(of);
  return new Map(files.map((file) => [file.file?.path ?? '', file.sizeBytes]));
}
