import { status } from '@grpc/grpc-js';
import { expect } from 'vitest';
import type { Commit } from '../../../../proto/gen/pfs/pfs.ts';
import { blake2b, fileHash } from '../../src/content/hash.ts';
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
/** How often an open commit is finished, so that the next has a parent. */
const FINISHES = 0.05;

/** Whether a commit that was open when the server died is finished by the check, or goes on being written to. */
type OpenHead = 'is closed' | 'stays open';

/** Files in pairs, each pair by one transaction, on a branch of their own. */
function writingPairs(
  repo: string,
  write: (client: Client, key: string, content: string) => Promise<unknown>,
  openHead: OpenHead = 'is closed',
): Way {
  const ledger = createLedger<string>();
  /** Holds a commit's whole tree against what was answered: every path, every content by its hash, and nothing else. */
  const compare = async (client: Client, of: Commit) => {
    const found = await hashesOf(client, of);
    const expected = new Set<string>();
    await ledger.check((key, content) => {
      const hashes = [found.get(`${key}.a`), found.get(`${key}.b`)];
      if (hashes.every((hash) => hash === undefined)) return false;
      const hash = fileHash([blake2b(Buffer.from(content))]).toString('hex');
      if (hashes.some((one) => one !== hash)) throw new Error(`half of ${repo}:${key}: ${hashes}`);
      for (const end of ['.a', '.b']) expected.add(key + end);
      return true;
    });
    expect([...found.keys()].filter((path) => !expected.has(path))).toEqual([]);
    const some = [...ledger.there()].sort(() => Math.random() - 0.5).slice(0, SAMPLES);
    for (const [key, content] of some) expect((await client.get(of, `${key}.b`)).toString()).toBe(content);
  };
  return {
    setUp: (client) => client.createRepo(repo),
    write: (client, name) => {
      const content = `${name} ${'x'.repeat(Math.floor(Math.random() * 3000))}`;
      return ledger.change(`/${name}`, content, 'there', () => write(client, `/${name}`, content));
    },
    check: async (client) => {
      const open = await findOpen(client, repo);
      if (open) {
        await compare(client, open);
        if (openHead === 'stays open') return;
        // Whoever opened it is gone.
        await finish(client, open);
      }
      const info = await client.finished(head(repo)).catch(() => undefined);
      expect(info?.error ?? '').toBe('');
      if (info?.commit) await compare(client, info.commit);
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
    const at = await start(client, repo);
    const fileSetId = await client.createFileSet(pairOf(key, content));
    await call((done) => client.api.addFileSet({ commit: at, fileSetId }, done));
    await finish(client, at);
  });

/** By sets and by streams into a commit that goes on being open over many kills. */
export const fillingOpen = (repo: string): Way =>
  writingPairs(
    repo,
    async (client, key, content) => {
      const at = (await findOpen(client, repo)) ?? (await start(client, repo));
      if (Math.random() < 0.5) await client.modify(at, pairOf(key, content));
      else {
        const fileSetId = await client.createFileSet(pairOf(key, content));
        await call((done) => client.api.addFileSet({ commit: at, fileSetId }, done));
      }
      if (Math.random() < FINISHES) await finish(client, at);
    },
    'stays open',
  );

async function start(client: Client, repo: string): Promise<Commit> {
  const request = { branch: branch(repo), parent: undefined, description: '' };
  return commit(repo, (await call<Commit>((done) => client.api.startCommit(request, done))).id);
}

function finish(client: Client, of: Commit): Promise<unknown> {
  return call((done) => client.api.finishCommit({ commit: of, description: '', error: '', force: false }, done));
}

/** The branch's head, if it is open; its parent is waited for, without which it cannot be read. */
async function findOpen(client: Client, repo: string): Promise<Commit | undefined> {
  const info = await client.inspect(head(repo)).catch((error: { readonly code?: number }) => {
    if (error.code === status.NOT_FOUND) return undefined;
    throw error;
  });
  if (!info?.commit || info.finishing) return undefined;
  if (info.parentCommit) await client.finished(info.parentCommit);
  return info.commit;
}

async function hashesOf(client: Client, of: Commit): Promise<Map<string, string>> {
  const files = await client.list(of);
  return new Map(files.map(({ file, hash }) => [file?.path ?? '', Buffer.from(hash).toString('hex')]));
}
