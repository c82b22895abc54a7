import type { Pachd } from '../pachd/client.ts';
import type { Caller, CommitRef, FileSummary } from '../pachd/model.ts';
import type { ObjectInfo } from './files.ts';
import { keyOfPath } from './key.ts';
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

/** How many entries pachd is asked for at once. */
const SCAN_MAX = 1_000;
/** The greatest character of a path: a marker that ends in a run of it comes after nearly all that begins as it does. */
const GREATEST = '~'.repeat(64);
/** Less than any character of a path: as a marker it lets the folder's own entry out, which pachd would have to hash. */
const LEAST = '\u0001';

export type Lists = ReturnType<typeof createLists>;

export function createLists(pachd: Pachd) {
  return {
    /** One page of a bucket's keys, in byte order. */
    async list(caller: Caller, view: BucketView, query: ListQuery): Promise<ListPage> {
      const entries: ListEntry[] = [];
      if (view.commit === undefined || !holdable(query.prefix)) return { entries, truncated: false };
      for await (const entry of entriesOf(pachd, caller, view, view.commit, query)) {
        if (entries.length === query.max) return { entries, truncated: true };
        entries.push(entry);
      }
      return { entries, truncated: false };
    },

    /** Whether the view has any object at all. */
    async isEmpty(caller: Caller, view: BucketView): Promise<boolean> {
      if (view.commit === undefined) return true;
      for await (const _ of files(pachd, caller, view.commit, { prefix: '', after: '', skip: false, scan: 'below' }, 1))
        return false;
      return true;
    },

    /** Whether there is anything below a path, which is then a folder. */
    async isFolder(caller: Caller, commit: CommitRef, path: string): Promise<boolean> {
      for await (const _ of files(
        pachd,
        caller,
        commit,
        { prefix: `${keyOfPath(path)}/`, after: '', skip: false, scan: 'below' },
        1,
      ))
        return true;
      return false;
    },
  };
}

/** Objects and common prefixes in order. A common prefix counts as one entry at its own place, however much is below it. */
async function* entriesOf(
  pachd: Pachd,
  caller: Caller,
  view: BucketView,
  commit: CommitRef,
  query: ListQuery,
): AsyncGenerator<ListEntry> {
  const { prefix, delimiter } = query;
  const infoOf = ({ path, sizeBytes, hash }: FileSummary): ObjectInfo => ({
    path,
    sizeBytes,
    hash,
    lastModifiedMs: view.commitMs,
  });
  // A common prefix is given only after the marker, so a marker inside of one means that all of it has been given.
  let given = commonPrefix(query.after, prefix, delimiter);
  let after = given ?? query.after;
  for (;;) {
    const range = { prefix, after, skip: given !== undefined, scan: delimiter === '/' ? 'folder' : 'below' } as const;
    given = undefined;
    for await (const file of files(pachd, caller, commit, range, query.max + 1)) {
      const key = keyOfPath(file.path);
      const common = file.kind === 'directory' ? key : commonPrefix(key, prefix, delimiter);
      if (common === undefined) {
        yield { kind: 'object', key, info: infoOf(file) };
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

/** The key up to and with the first delimiter after the prefix; undefined if there is none. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

interface Range {
  readonly prefix: string;
  /** Only keys after this one; empty: all. */
  readonly after: string;
  /** `after` is a common prefix, and what begins with it is to be passed over. */
  readonly skip: boolean;
  /** All files below the prefix' folder, or the entries of that folder, files and directories. */
  readonly scan: 'below' | 'folder';
}

/** The entries of a range in byte order, asked of pachd page by page. */
async function* files(
  pachd: Pachd,
  caller: Caller,
  commit: CommitRef,
  range: Range,
  wanted: number,
): AsyncGenerator<FileSummary> {
  const { prefix, scan } = range;
  const folder = `/${prefix.slice(0, prefix.lastIndexOf('/') + 1)}`;
  const directory = folder === '/' ? '/' : folder.slice(0, -1);
  const number = Math.min(SCAN_MAX, wanted + 1);
  let last = range.after;
  let marker = firstMarker(folder, range);
  for (;;) {
    let got = 0;
    const page = { after: marker, number };
    const answer =
      scan === 'below'
        ? pachd.walkFiles(caller, commit, directory, page)
        : pachd.listFiles(caller, commit, directory, page);
    for await (const file of answer) {
      got += 1;
      const key = keyOfPath(file.path);
      marker = scan === 'folder' && file.kind === 'directory' ? file.path + GREATEST : file.path + LEAST;
      if (!key.startsWith(prefix)) {
        if (key > prefix) return;
        continue;
      }
      if (key <= last && last !== '') continue;
      // Walking gives directories too; listing a path that is a file gives that file.
      if (scan === 'below' ? file.kind === 'directory' : !file.path.startsWith(folder)) continue;
      last = key;
      yield file;
    }
    if (got < number) return;
  }
}

/**
 * A path after which to begin that leaves nothing out; what it lets in too early is passed over by comparison. It ends in a
 * character that no path has, since pachd leaves out a file whose path is the marker's when both are cleaned.
 */
function firstMarker(folder: string, { prefix, after, skip }: Range): string {
  if (after > prefix) return `/${after}${skip ? GREATEST : LEAST}`;
  const rest = prefix.slice(folder.length - 1);
  const lastCode = rest.charCodeAt(rest.length - 1);
  if (rest === '' || lastCode <= 0x20) return folder + rest.slice(0, -1) + LEAST;
  // What begins with the prefix comes after all that begins with its predecessor.
  return folder + rest.slice(0, -1) + String.fromCharCode(lastCode - 1) + GREATEST;
}

/** A prefix with a character that no path has matches nothing; a glob character is literal, and matches nothing either. */
function holdable(prefix: string): boolean {
  return /^[ -~]*$/.test(prefix) && !prefix.startsWith('/') && !prefix.includes('//');
}
