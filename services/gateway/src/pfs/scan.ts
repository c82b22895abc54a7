import type { Pachd } from '../pachd/client.ts';
import type { Page } from '../pachd/files.ts';
import type { Caller, CommitRef, FileSource, FileSummary } from '../pachd/model.ts';
import { keyOfPath } from './key.ts';
import type { Overlay } from './overlay.ts';
import type { Sets } from './read/sets.ts';
import type { BucketView } from './state.ts';

/** How many entries pachd is asked for at once. */
const SCAN_MAX = 1_000;
/** The greatest character of a path: a marker that ends in a run of it comes after nearly all that begins as it does. */
const GREATEST = '~'.repeat(64);
/** Less than any character of a path: as a marker it lets the folder's own entry out, which pachd would have to hash. */
const LEAST = '\u0001';

export interface Range {
  readonly prefix: string;
  /** Only keys after this one; empty: all. */
  readonly after: string;
  /** `after` is a common prefix, and what begins with it is to be passed over. */
  readonly skip: boolean;
  /** All files below the prefix' folder, or the entries of that folder, files and directories. */
  readonly scan: 'below' | 'folder';
}

/** A file or a folder that a view shows. */
export interface Shown {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** What pachd said of it; undefined for what a pending commit changed. */
  readonly base: FileSummary | undefined;
}

/** What a view shows of a range, in byte order: the commit's own entries, and what the pending ones laid over them. */
export type Scan = (caller: Caller, view: BucketView, range: Range, wanted: number) => AsyncGenerator<Shown>;

export interface ScanParts {
  readonly pachd: Pick<Pachd, 'listFiles' | 'walkFiles'>;
  readonly sets: Sets;
  /** Told of each page of a finished commit as pachd gave it: nothing is left out between its entries. */
  onPage(commit: CommitRef, page: readonly FileSummary[]): void;
}

export function createScan({ pachd, sets, onPage }: ScanParts): Scan {
  const shown: Scan = async function* (caller, view, range, wanted) {
    const { overlay, commit } = view;
    const added = addedEntries(overlay, range);
    let next = added.next();
    if (commit !== undefined) {
      for await (const base of files(caller, commit, view.open, range, wanted + overlay.size)) {
        for (; !next.done && next.value.path < base.path; next = added.next()) yield next.value;
        // What pending commits changed comes from them.
        if (base.kind === 'file' && overlay.find(base.path) !== undefined) continue;
        if (!next.done && next.value.path === base.path) continue;
        if (base.kind === 'directory' && !(await isLeft(caller, view, base.path))) continue;
        yield { path: base.path, kind: base.kind, base };
      }
    }
    for (; !next.done; next = added.next()) yield next.value;
  };

  /** Whether a folder of the commit still has a file, after what pending commits deleted. */
  const isLeft = async (caller: Caller, view: BucketView, directory: string): Promise<boolean> => {
    if (!view.overlay.changesBelow(directory.slice(0, -1))) return true;
    const range = { prefix: keyOfPath(directory), after: '', skip: false, scan: 'below' } as const;
    for await (const _ of shown(caller, view, range, 1)) return true;
    return false;
  };

  /** One page, read to its end, whoever wants less of it. */
  const readPage = async (
    caller: Caller,
    source: FileSource,
    directory: string,
    scan: Range['scan'],
    page: Page,
  ): Promise<readonly FileSummary[]> => {
    const answer =
      scan === 'below'
        ? pachd.walkFiles(caller, source, directory, page)
        : pachd.listFiles(caller, source, directory, page);
    const entries: FileSummary[] = [];
    for await (const file of answer) entries.push(file);
    return entries;
  };

  /** The entries of a range in byte order, asked of pachd page by page. */
  async function* files(
    caller: Caller,
    commit: CommitRef,
    open: boolean,
    range: Range,
    wanted: number,
  ): AsyncGenerator<FileSummary> {
    const { prefix, scan } = range;
    const folder = folderOf(prefix);
    const directory = folder === '/' ? '/' : folder.slice(0, -1);
    const number = Math.min(SCAN_MAX, wanted + 1);
    let last = range.after;
    let after = firstMarker(folder, range);
    for (;;) {
      const read = (source: FileSource) => readPage(caller, source, directory, scan, { after, number });
      const page = open ? await read(commit) : await sets.properties(caller, commit, read);
      if (!open) onPage(commit, page);
      for (const file of page) {
        const key = keyOfPath(file.path);
        after = scan === 'folder' && file.kind === 'directory' ? file.path + GREATEST : file.path + LEAST;
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
      if (page.length < number) return;
    }
  }

  return shown;
}

/** What pending commits put into a range; folders in place of what is below them, where folders are asked for. */
function* addedEntries(overlay: Overlay, range: Range): Generator<Shown, undefined> {
  const folder = folderOf(range.prefix);
  let last = '';
  for (const path of overlay.paths) {
    if (overlay.find(path)?.kind !== 'put' || !inRange(keyOfPath(path), range)) continue;
    const slash = range.scan === 'folder' ? path.indexOf('/', folder.length) : -1;
    const shownPath = slash === -1 ? path : path.slice(0, slash + 1);
    if (shownPath === last || !inRange(keyOfPath(shownPath), range)) continue;
    last = shownPath;
    yield { path: shownPath, kind: slash === -1 ? 'file' : 'directory', base: undefined };
  }
  return undefined;
}

function inRange(key: string, { prefix, after, skip }: Range): boolean {
  return key.startsWith(prefix) && key > after && !(skip && key.startsWith(after));
}

/** The folder in which all that begins with a prefix is; with its slash. */
function folderOf(prefix: string): string {
  return `/${prefix.slice(0, prefix.lastIndexOf('/') + 1)}`;
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
