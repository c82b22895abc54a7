import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, type DatabaseOptions, type Key, open } from 'lmdb';
import { keeping } from './disk.ts';
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
import { namedTable, shortKey, type Table } from './table.ts';

const TABLES_MAX = 32;
const READERS_MAX = 512;

/** The tables. Several processes may have the same folder open; a transaction of one is atomic for all. */
export interface Db {
  readonly folder: string;
  readonly meta: Table<number | string, string>;
  readonly projects: Table<ProjectRecord, string>;
  readonly repos: Table<RepoRecord, [project: string, name: string, type: string]>;
  readonly repoById: Database<[project: string, name: string, type: string], number>;
  readonly branches: Table<BranchRecord, [repoId: number, name: string]>;
  /** The branches that are made from a branch. */
  readonly branchSubvenance: Table<BranchKey, [repoId: number, name: string, bySeq: number]>;
  readonly commits: Table<CommitRecord, [repoId: number, id: string]>;
  readonly repoCommits: Table<string, [repoId: number, seq: number]>;
  readonly allCommits: Database<[repoId: number, id: string], number>;
  readonly commitSets: Table<number, [id: string, seq: number]>;
  readonly children: Table<string, [repoId: number, parent: string, seq: number]>;
  /** The commits that are made from a commit. */
  readonly commitSubvenance: Table<CommitKey, [repoId: number, id: string, bySeq: number]>;
  readonly finishing: Database<string, [repoId: number, seq: number]>;
  readonly leases: Database<LeaseRecord, string>;
  readonly fileSets: Table<FileSetRecord, string>;
  readonly expiries: Database<true, [expiresAt: number, token: string]>;
  readonly layers: Database<LayerRecord, number>;
  readonly freeLayers: Database<true, [freeSince: number, id: number]>;
  readonly files: Database<Buffer, Buffer>;
  readonly packs: Database<PackRecord, number>;
  readonly freePacks: Database<true, [freeSince: number, id: number]>;
  readonly blocks: Database<Buffer, Buffer>;
  readonly hashes: Database<Buffer, Buffer>;
  readonly tokens: Table<TokenRecord, string>;
  readonly bindings: Table<BindingRecord, string>;
  /**
   * Runs `work`, which reads and writes synchronously, as one transaction: when the promise resolves all of it is on disk, when it rejects
   * (with what `work` threw) none of it was done.
   */
  readonly write: <T>(work: () => T) => Promise<T>;
  /**
   * What is read from now on has all that other processes have answered before. Without it a read may see what was there a moment ago: the
   * library takes up what others wrote by a timer.
   */
  readonly refresh: () => void;
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
  const named = <V, K extends Key>(name: string) => namedTable<V, K>(table(name));
  const raw: DatabaseOptions = { keyEncoding: 'binary', encoding: 'binary' };
  return {
    folder,
    meta: named('meta'),
    projects: named('projects'),
    repos: named('repos'),
    repoById: table('repoById'),
    branches: named('branches'),
    branchSubvenance: named('branchSubvenance'),
    commits: named('commits'),
    repoCommits: named('repoCommits'),
    allCommits: table('allCommits'),
    commitSets: named('commitSets'),
    children: named('children'),
    commitSubvenance: named('commitSubvenance'),
    finishing: table('finishing'),
    leases: table('leases'),
    fileSets: named('fileSets'),
    expiries: table('expiries'),
    layers: table('layers'),
    freeLayers: table('freeLayers'),
    files: table('files', raw),
    packs: table('packs'),
    freePacks: table('freePacks'),
    blocks: table('blocks', raw),
    hashes: table('hashes', raw),
    tokens: named('tokens'),
    bindings: named('bindings'),
    write: (work) => keeping(folder, root.childTransaction(work)),
    refresh: () => root.resetReadTxn(),
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
  table: Table<V, never>,
  prefix: readonly Key[],
  options: { readonly reverse?: boolean } = {},
): Generator<{ readonly key: readonly Key[]; readonly value: V }> {
  // A null sorts before and a byte string after everything that stands in this place of a key.
  const short = shortKey(prefix);
  const low = [...short, -Infinity];
  const high = [...short, Buffer.from([0xff])];
  const bounds = options.reverse ? { start: high, end: low, reverse: true } : { start: low, end: high };
  for (const { key, value } of table.getRange(bounds)) yield { key: key as unknown as readonly Key[], value };
}
