import type { Pachd } from '../pachd/client.ts';
import type { Caller, CommitRef, FileSummary } from '../pachd/model.ts';
import { keyOfPath } from './key.ts';
import type { Overlay } from './overlay.ts';
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
export async function* shown(
  pachd: Pachd,
  caller: Caller,
  view: BucketView,
  range: Range,
  wanted: number,
): AsyncGenerator<Shown> {
  const { overlay, commit } = view;
  const added = addedEntries(overlay, range);
  let next = added.next();
  if (commit !== undefined) {
    for await (const base of files(pachd, caller, commit, range, wanted + overlay.size)) {
      for (; !next.done && next.value.path < base.path; next = added.next()) yield next.value;
      // What pending commits changed comes from them.
      if (base.kind === 'file' && overlay.find(base.path) !== undefined) continue;
      if (!next.done && next.value.path === base.path) continue;
      if (base.kind === 'directory' && !(await isLeft(pachd, caller, view, base.path))) continue;
      yield { path: base.path, kind: base.kind, base };
    }
  }
  for (; !next.done; next = added.next()) yield next.value;
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

/** Whether a folder of the commit still has a file, after what pending commits deleted. */
async function isLeft(pachd: Pachd, caller: Caller, view: BucketView, directory: string): Promise<boolean> {
  const touched = view.overlay.paths.some((path) => path.startsWith(directory));
  if (!touched) return true;
  const range = { prefix: keyOfPath(directory), after: '', skip: false, scan: 'below' } as const;
  for await (const _ of shown(pachd, caller, view, range, 1)) return true;
  return false;
}

/** The folder in which all that begins with a prefix is; with its slash. */
function folderOf(prefix: string): string {
  return `/${prefix.slice(0, prefix.lastIndexOf('/') + 1)}`;
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
  const folder = folderOf(prefix);
  const directory = folder === '/' ? '/' : folder.slice(0, -1);
  const number = Math.min(SCAN_MAX, wanted + 1);
  let last = range.after;
  let marker = firstMarker(folder, range);
  for (;;) {
    const asked = { after: marker, number };
    const answer =
      scan === 'below'
        ? pachd.walkFiles(caller, commit, directory, asked)
        : pachd.listFiles(caller, commit, directory, asked);
    // The page is read to its end, whoever wants less of it: a call that is left early costs pachd's connection a reset.
    const page: FileSummary[] = [];
    for await (const file of answer) page.push(file);
    for (const file of page) {
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
    if (page.length < number) return;
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
