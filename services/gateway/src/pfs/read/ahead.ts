import { LRUCache } from 'lru-cache';
import type { Pachd } from '../../pachd/client.ts';
import { type Caller, type CommitRef, commitKey, detached, type FileSummary } from '../../pachd/model.ts';
import type { Names } from '../names.ts';
import { type Block, type Blocks, folderOf } from './blocks.ts';
import type { Fetched, ReadRun } from './runs.ts';
import type { Sets } from './sets.ts';

/** So many misses of a block show that more of it will be wanted. */
const MISSES_MIN = 2;
/** A block whose neighbour was read within this time is what a walk comes to next. */
const WALK_MS = 60_000;
/** Blocks that are loaded before anybody asks, at once. */
const AHEAD_MAX = 4;
const MARKS_MAX = 10_000;

/** Objects of a folder that were read before it is listed to see what is beside them. */
const UNLISTED_MIN = 8;
const LISTED_NUMBER = 1_000;
/** Who reads so many blocks before the end of what is listed is about to want more of it. */
const EDGE_BLOCKS = 4;
const FOLDERS_MAX = 10_000;

/**
 * Reads objects together with those beside them, where it is likely that they will be wanted: pachd takes 14 to 18 ms for a hundred small
 * files in a row, and 5 to 20 for one.
 */
export interface Ahead {
  /** An object is not at hand. What it is if it was read with others; undefined: it is to be read by itself. */
  missed(caller: Caller, commit: CommitRef, path: string): Promise<Fetched | undefined>;
  /** An object was at hand: whoever walks there finds the next ones so, too. */
  used(caller: Caller, commit: CommitRef, path: string): void;
  /** Takes up what a list of a finished commit said, in order and without a gap. */
  learn(commit: CommitRef, listed: readonly FileSummary[]): void;
}

interface Folder {
  unlisted: number;
  /** It is being listed, or is not to be: one list at a time. */
  closed: boolean;
  /** A list has come to its end. */
  endSeen: boolean;
}

export interface AheadParts {
  readonly pachd: Pick<Pachd, 'listFiles'>;
  readonly sets: Sets;
  readonly names: Names;
  readonly blocks: Blocks;
  readonly readRun: ReadRun;
}

export function createAhead({ pachd, sets, names, blocks, readRun }: AheadParts): Ahead {
  const loading = new Map<Block, Promise<ReadonlyMap<string, Fetched>>>();
  const folders = new LRUCache<string, Folder>({ max: FOLDERS_MAX });
  /** At the middle of each loaded block: who comes there is about to want what follows. */
  const marks = new LRUCache<string, Block>({ max: MARKS_MAX });
  let ahead = 0;

  const load = (caller: Caller, commit: CommitRef, block: Block): Promise<ReadonlyMap<string, Fetched>> => {
    const known = loading.get(block);
    if (known !== undefined) return known;
    const load = readRun(caller, commit, block)
      .then((found) => {
        block.loadedMs = performance.now();
        block.misses = 0;
        marks.set(commitKey(commit) + block.middle, block);
        listOn(caller, commit, block);
        return found;
      })
      .finally(() => loading.delete(block));
    loading.set(block, load);
    return load;
  };

  const isWanted = (commit: CommitRef, block: Block): boolean => {
    if (loading.has(block)) return true;
    block.misses += 1;
    if (block.misses >= MISSES_MIN) return true;
    const before = blocks.before(commit, block);
    return before !== undefined && wasLoaded(before);
  };

  const folderAt = (key: string): Folder => {
    const folder = folders.get(key) ?? { unlisted: 0, closed: false, endSeen: false };
    folders.set(key, folder);
    return folder;
  };

  const learn = (commit: CommitRef, listed: readonly FileSummary[]): void => {
    names.learn(commit, listed);
    blocks.learn(commit, listed);
  };

  /** Beside who reads. pachd hashes all that is below a folder's folders to list it, so one that has any is not listed again. */
  const listAfter = async (caller: Caller, commit: CommitRef, path: string): Promise<void> => {
    const folder = folderOf(path);
    const key = commitKey(commit) + folder;
    const state = folderAt(key);
    if (state.closed) return;
    // For ever, when it fails.
    state.closed = true;
    const listed = await sets.properties(caller, commit, async (source) => {
      const page: FileSummary[] = [];
      const asked = { after: path, number: LISTED_NUMBER };
      for await (const file of pachd.listFiles(detached(caller), source, folder, asked)) page.push(file);
      return page;
    });
    learn(commit, listed);
    state.closed = listed.some(({ kind }) => kind === 'directory');
    state.endSeen ||= listed.length < LISTED_NUMBER;
    state.unlisted = UNLISTED_MIN - MISSES_MIN;
  };

  /** Who may not list, or cannot now, reads one by one. */
  const tryToList = (caller: Caller, commit: CommitRef, path: string): void =>
    void listAfter(caller, commit, path).catch(() => {});

  /** Lists what comes next before it is wanted. */
  const listOn = (caller: Caller, commit: CommitRef, block: Block): void => {
    if (folderAt(commitKey(commit) + block.folder).endSeen) return;
    let edge = block;
    for (let ahead = 0; ahead < EDGE_BLOCKS; ahead++) {
      const next = blocks.after(commit, edge);
      if (next === undefined) {
        tryToList(caller, commit, edge.last);
        return;
      }
      edge = next;
    }
  };

  return {
    learn,

    async missed(caller, commit, path) {
      const block = blocks.at(commit, path);
      if (block !== undefined) {
        if (!isWanted(commit, block)) return undefined;
        // What fails for all of the block may not for this one, or for who asks.
        const found = await load(caller, commit, block).catch(() => undefined);
        return found?.get(path);
      }
      const key = commitKey(commit) + folderOf(path);
      const folder = folderAt(key);
      folder.unlisted += 1;
      if (folder.unlisted >= UNLISTED_MIN) tryToList(caller, commit, path);
      return undefined;
    },

    used(caller, commit, path) {
      if (marks.size === 0) return;
      const key = commitKey(commit) + path;
      const block = marks.get(key);
      if (block === undefined) return;
      marks.delete(key);
      const next = blocks.after(commit, block);
      if (next === undefined || wasLoaded(next) || loading.has(next) || ahead === AHEAD_MAX) return;
      ahead += 1;
      load(caller, commit, next)
        // Who asks for it tries again.
        .catch(() => {})
        .finally(() => {
          ahead -= 1;
        });
    },
  };
}

function wasLoaded({ loadedMs }: Block): boolean {
  return loadedMs > 0 && performance.now() - loadedMs < WALK_MS;
}
