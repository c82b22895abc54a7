import { createFlights } from '../cache/flight.ts';
import type { Pachd } from '../pachd/client.ts';
import { isOfCaller } from '../pachd/errors.ts';
import { type Caller, commitKey, detached } from '../pachd/model.ts';
import type { Files, ObjectInfo } from './files.ts';
import { keyOfPath } from './key.ts';
import type { Names } from './names.ts';
import type { Ahead } from './read/ahead.ts';
import type { Sets } from './read/sets.ts';
import { createScan, type Shown } from './scan.ts';
import type { BucketView } from './state.ts';

export interface ListQuery {
  readonly prefix: string;
  /** Empty: none. */
  readonly delimiter: string;
  /** Keys and common prefixes after this one, in byte order; empty: from the first. */
  readonly after: string;
  /** How many entries at the most, above 0. */
  readonly max: number;
}

export type ListEntry =
  | { readonly kind: 'object'; readonly key: string; readonly info: ObjectInfo }
  | { readonly kind: 'prefix'; readonly prefix: string };

export interface ListPage {
  readonly entries: readonly ListEntry[];
  /** There is more after the last entry. */
  readonly truncated: boolean;
}

export type Lists = ReturnType<typeof createLists>;

export interface ListsParts {
  readonly pachd: Pick<Pachd, 'listFiles' | 'walkFiles' | 'hasBelow'>;
  readonly sets: Sets;
  readonly names: Names;
  readonly files: Files;
  /** undefined: nothing is read ahead. */
  readonly ahead: Ahead | undefined;
}

export function createLists({ pachd, sets, names, files, ahead }: ListsParts) {
  const shown = createScan({ pachd, sets, onPage: (commit, page) => ahead?.learn(commit, page) });

  const looking = createFlights<boolean>(isOfCaller);

  const isNothing = async (caller: Caller, view: BucketView, prefix: string): Promise<boolean> => {
    for await (const _ of shown(caller, view, { prefix, after: '', skip: false, scan: 'below' }, 1)) return false;
    return true;
  };

  /** The same of the commit alone, without what lies over it. */
  const isFolderOfCommit = async (caller: Caller, { commit, open }: BucketView, path: string): Promise<boolean> => {
    if (commit === undefined) return false;
    if (open) return pachd.hasBelow(caller, commit, path);
    const known = names.known(commit, path);
    if (known !== undefined && known !== 'no file') return known === 'directory';
    return looking(commitKey(commit) + path, async () => {
      const isFolder = await sets.properties(caller, commit, (set) => pachd.hasBelow(detached(caller), set, path));
      names.noteFolder(commit, path, isFolder);
      return isFolder;
    });
  };

  return {
    /** One page of a bucket's keys, in byte order. */
    async list(caller: Caller, view: BucketView, query: ListQuery): Promise<ListPage> {
      const entries: ListEntry[] = [];
      if (!holdable(query.prefix)) return { entries, truncated: false };
      for await (const entry of entriesOf(caller, view, query)) {
        if (entries.length === query.max) return { entries, truncated: true };
        entries.push(entry);
      }
      return { entries, truncated: false };
    },

    /** Whether the view has any object at all. */
    isEmpty: (caller: Caller, view: BucketView): Promise<boolean> => isNothing(caller, view, ''),

    /** Whether there is anything below a path, which is then a folder. */
    async isFolder(caller: Caller, view: BucketView, path: string): Promise<boolean> {
      if (view.overlay.hasBelow(path)) return true;
      if (view.overlay.changesBelow(path)) return !(await isNothing(caller, view, `${keyOfPath(path)}/`));
      return isFolderOfCommit(caller, view, path);
    },

    isFolderOfCommit,
  };

  /** Objects and common prefixes in order. A common prefix counts as one entry at its own place, however much is below it. */
  async function* entriesOf(caller: Caller, view: BucketView, query: ListQuery): AsyncGenerator<ListEntry> {
    const { prefix, delimiter } = query;
    // A common prefix is given only after the marker, so a marker inside of one means that all of it has been given.
    let given = commonPrefix(query.after, prefix, delimiter);
    let after = given ?? query.after;
    for (;;) {
      const range = { prefix, after, skip: given !== undefined, scan: delimiter === '/' ? 'folder' : 'below' } as const;
      given = undefined;
      for await (const file of shown(caller, view, range, query.max + 1)) {
        const key = keyOfPath(file.path);
        const common = file.kind === 'directory' ? key : commonPrefix(key, prefix, delimiter);
        if (common === undefined) {
          const info = await infoOf(caller, view, file);
          if (info !== undefined) yield { kind: 'object', key, info };
        } else if (common > after) {
          yield { kind: 'prefix', prefix: common };
          after = common;
          if (file.kind === 'directory') continue;
          // All that is below it has been said with it: begin again behind it.
          given = common;
          break;
        }
      }
      if (given === undefined) return;
    }
  }

  async function infoOf(caller: Caller, view: BucketView, { path, base }: Shown): Promise<ObjectInfo | undefined> {
    if (base === undefined || view.commit === undefined) return files.stat(caller, view, path);
    const { sizeBytes, hash } = base;
    return { path, sizeBytes, hash, lastModifiedMs: view.commitMs, commitId: view.commit.commitId };
  }
}

/** The key up to and with the first delimiter after the prefix; undefined if there is none. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

/** A prefix with a character that no path has matches nothing. Those that pachd globs with would be part of a pattern there. */
function holdable(prefix: string): boolean {
  return (
    /^[ -~]*$/.test(prefix) && !/[*?[\]{}!()@+^]/.test(prefix) && !prefix.startsWith('/') && !prefix.includes('//')
  );
}
