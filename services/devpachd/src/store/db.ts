import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, type DatabaseOptions, type Key, open } from 'lmdb';
import type {
  BindingRecord,
  BranchKey,
  BranchRecord,
  CommitKey,
  CommitRecord,
  FileSetRecord,
  LayerRecord,
  LeaseRecord,
  PackRecord,
  ProjectRecord,
  RepoRecord,
  TokenRecord,
} from './records.ts';

const TABLES_MAX = 32;
const READERS_MAX = 512;

/** The tables. Several processes may have the same folder open; a transaction of one is atomic for all. */
export interface Db {
  readonly folder: string;
  readonly meta: Database<number | string, string>;
  readonly projects: Database<ProjectRecord, string>;
  readonly repos: Database<RepoRecord, [project: string, name: string, type: string]>;
  readonly repoById: Database<[project: string, name: string, type: string], number>;
  readonly branches: Database<BranchRecord, [repoId: number, name: string]>;
  /** The branches that are made from a branch. */
  readonly branchSubvenance: Database<BranchKey, [repoId: number, name: string, bySeq: number]>;
  readonly commits: Database<CommitRecord, [repoId: number, id: string]>;
  readonly repoCommits: Database<string, [repoId: number, seq: number]>;
  readonly allCommits: Database<[repoId: number, id: string], number>;
  readonly commitSets: Database<number, [id: string, seq: number]>;
  readonly children: Database<string, [repoId: number, parent: string, seq: number]>;
  /** The commits that are made from a commit. */
  readonly commitSubvenance: Database<CommitKey, [repoId: number, id: string, bySeq: number]>;
  readonly finishing: Database<string, [repoId: number, seq: number]>;
  readonly leases: Database<LeaseRecord, string>;
  readonly fileSets: Database<FileSetRecord, string>;
  readonly expiries: Database<true, [expiresAt: number, token: string]>;
  readonly layers: Database<LayerRecord, number>;
  readonly freeLayers: Database<true, [freeSince: number, id: number]>;
  readonly files: Database<Buffer, Buffer>;
  readonly packs: Database<PackRecord, number>;
  readonly freePacks: Database<true, [freeSince: number, id: number]>;
  readonly blocks: Database<Buffer, Buffer>;
  readonly hashes: Database<Buffer, Buffer>;
  readonly tokens: Database<TokenRecord, string>;
  readonly bindings: Database<BindingRecord, string>;
  /**
   * Runs `work`, which reads and writes synchronously, as one transaction: when the promise resolves all of it is on disk, when it rejects
   * (with what `work` threw) none of it was done.
   */
  readonly write: <T>(work: () => T) => Promise<T>;
  readonly close: () => Promise<void>;
}

export function openDb(folder: string): Db {
  mkdirSync(folder, { recursive: true });
  const root = open({
    path: join(folder, 'lmdb'),
    noSubdir: false,
    maxDbs: TABLES_MAX,
    maxReaders: READERS_MAX,
    // A commit that others can see is on disk already, so what is built upon it cannot come to stand on nothing.
    overlappingSync: false,
  });
  const table = <V, K extends Key>(name: string, options: DatabaseOptions = {}) =>
    root.openDB<V, K>({ ...options, name });
  const raw: DatabaseOptions = { keyEncoding: 'binary', encoding: 'binary' };
  return {
    folder,
    meta: table('meta'),
    projects: table('projects'),
    repos: table('repos'),
    repoById: table('repoById'),
    branches: table('branches'),
    branchSubvenance: table('branchSubvenance'),
    commits: table('commits'),
    repoCommits: table('repoCommits'),
    allCommits: table('allCommits'),
    commitSets: table('commitSets'),
    children: table('children'),
    commitSubvenance: table('commitSubvenance'),
    finishing: table('finishing'),
    leases: table('leases'),
    fileSets: table('fileSets'),
    expiries: table('expiries'),
    layers: table('layers'),
    freeLayers: table('freeLayers'),
    files: table('files', raw),
    packs: table('packs'),
    freePacks: table('freePacks'),
    blocks: table('blocks', raw),
    hashes: table('hashes', raw),
    tokens: table('tokens'),
    bindings: table('bindings'),
    write: (work) => root.childTransaction(work),
    close: () => root.close(),
  };
}

/** The next number of a sequence. Only inside a transaction. */
export function nextNumber(db: Db, sequence: string): number {
  const last = db.meta.get(`seq:${sequence}`);
  const next = (typeof last === 'number' ? last : 0) + 1;
  db.meta.put(`seq:${sequence}`, next);
  return next;
}

/** The values of a range of compound keys that begin with `prefix`. */
export function* underPrefix<V>(
  table: Database<V, never>,
  prefix: readonly Key[],
  options: { readonly reverse?: boolean } = {},
): Generator<{ readonly key: readonly Key[]; readonly value: V }> {
  // A null sorts before and a byte string after everything that stands in this place of a key.
  const low = [...prefix, -Infinity];
  const high = [...prefix, Buffer.from([0xff])];
  const bounds = options.reverse ? { start: high, end: low, reverse: true } : { start: low, end: high };
  for (const { key, value } of table.getRange(bounds)) yield { key: key as unknown as readonly Key[], value };
}
