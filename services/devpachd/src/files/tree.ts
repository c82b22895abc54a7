import { blake2b } from '../content/hash.ts';
import type { Packs } from '../content/packs.ts';
import type { Db } from '../store/db.ts';
import { PfsError, refused } from '../store/errors.ts';
import { dirPath, isDirPath } from '../store/paths.ts';
import { hashOf } from './content.ts';
import { type Cursor, openCursor } from './cursor.ts';
import { type Content, type Entry, entryOrder } from './entry.ts';
import { END } from './rows.ts';
import { collisionOf } from './validate.ts';

/** A file or a directory as a reader meets it. Directories stand before what is in them and end in a slash. */
export interface Node {
  readonly path: string;
  readonly datum: string;
  readonly content: Content | undefined;
}

export interface NodeInfo {
  readonly sizeBytes: number;
  readonly hash: Buffer;
}

export interface Tree {
  readonly nodes: (options: NodeOptions) => AsyncGenerator<Node>;
  /** Size and hash; those of a directory cover all that is below it, and cost as much as reading that. */
  readonly info: (node: Node) => Promise<NodeInfo>;
}

export interface NodeOptions {
  /** Only paths that begin so. */
  readonly prefix: string;
  /** The prefix is a whole path: only that file or directory, and what is below it. */
  readonly exact?: boolean;
  /** Instead of the prefix: from here on, and up to but without `upper` (empty: no end). */
  readonly range?: { readonly lower: string; readonly upper: string };
  readonly keep?: (path: string) => boolean;
  /** Directories of which the content is of no interest: it is passed over unread. */
  readonly closed?: (path: string) => boolean;
}

const PAUSE_ENTRIES = 256;

/** How many entries a reader has looked at, and how many of these for the sizes and hashes of directories. */
export interface Seen {
  scanned: number;
  hashed: number;
}

/** The tree that a stack of layers makes. Collisions are thrown where they are met, as pachd does. */
export function openTree(
  db: Db,
  packs: Packs,
  layers: readonly number[],
  datum: string,
  signal: AbortSignal,
  seen: Seen,
): Tree {
  const infos = new Map<string, NodeInfo>();
  const pause = createPause(signal);

  /** Files in order, checked against each other. `skipTo` passes over what comes before a path. */
  const files = (lower: string, upper: string) => {
    let cursor: Cursor = openCursor(db, layers, { lower: entryOrder(lower, '').slice(0, -1), upper });
    let previous: Entry | undefined;
    return {
      next: async (): Promise<Entry | undefined> => {
        for (;;) {
          await pause();
          const entry = cursor.next();
          if (!entry) return undefined;
          if (datum !== '' && entry.datum !== datum) continue;
          const collision = collisionOf(previous, entry);
          if (collision !== undefined) throw refused(collision);
          previous = entry;
          seen.scanned++;
          return entry;
        }
      },
      skipTo: (path: string) => {
        cursor = openCursor(db, layers, { lower: entryOrder(path, '').slice(0, -1), upper });
      },
    };
  };

  /**
   * A path alone, without its neighbours `PATH-1` and `PATH.x`, which would have to be passed over between the file and what is below the
   * directory of that name. Both at once is a collision, unless one of these stands between them: then pachd does not see it.
   */
  const exactly = (path: string) => {
    const file = files(path, `${entryOrder(path, '')}${END}`);
    const below = files(dirPath(path), afterDir(dirPath(path)));
    if (path === '/' || path === '' || (hasAny(path) && hasAny(dirPath(path)))) return files(path, afterPrefix(path));
    return hasAny(path) ? file : below;
  };
  const hasAny = (path: string): boolean => {
    const lower = entryOrder(path, '').slice(0, isDirPath(path) ? -1 : undefined);
    const cursor = openCursor(db, layers, { lower, upper: isDirPath(path) ? afterDir(path) : lower + END });
    for (let entry = cursor.next(); entry; entry = cursor.next()) {
      if (datum === '' || entry.datum === datum) return true;
    }
    return false;
  };

  const fileInfo = async (content: Content): Promise<NodeInfo> => ({
    sizeBytes: content.sizeBytes,
    hash: await hashOf(db, packs, content),
  });

  /** Reads a directory, and keeps what it finds of this one and of all below it. */
  const readDir = async (path: string): Promise<NodeInfo> => {
    const source = files(path, afterDir(path));
    const outer: DirSum[] = [];
    let dir = createDirSum(path);
    const close = (): NodeInfo => {
      const info = { sizeBytes: dir.sizeBytes, hash: blake2b(dir.hashes.bytes()) };
      infos.set(dir.path, info);
      const parent = outer.pop();
      if (parent) {
        parent.sizeBytes += info.sizeBytes;
        parent.hashes.add(info.hash);
        dir = parent;
      }
      return info;
    };
    for (let entry = await source.next(); entry; entry = await source.next()) {
      while (outer.length > 0 && !entry.path.startsWith(dir.path)) close();
      for (;;) {
        const slash = entry.path.indexOf('/', dir.path.length);
        if (slash < 0) break;
        outer.push(dir);
        dir = createDirSum(entry.path.slice(0, slash + 1));
      }
      seen.hashed++;
      if (entry.path === dir.path) continue;
      const child = await contentInfo(entry);
      dir.sizeBytes += child.sizeBytes;
      dir.hashes.add(child.hash);
    }
    while (outer.length > 0) close();
    return close();
  };
  const contentInfo = (entry: Entry): Promise<NodeInfo> => {
    const [content] = entry.contents;
    return content ? fileInfo(content) : Promise.resolve(EMPTY_DIR);
  };

  return {
    info: async (node) => {
      if (!isDirPath(node.path)) return node.content ? fileInfo(node.content) : EMPTY_DIR;
      return infos.get(node.path) ?? readDir(node.path);
    },
    nodes: async function* ({ prefix, exact, range, keep, closed }) {
      const lower = range?.lower ?? prefix;
      const source = range ? files(lower, END) : exact ? exactly(prefix) : files(lower, afterPrefix(prefix));
      const kept = createFilter(keep);
      const isPast = (path: string) => range !== undefined && range.upper !== '' && path >= range.upper;
      let last = '';
      for (let entry = await source.next(); entry; entry = await source.next()) {
        let passed: string | undefined;
        for (const dir of missingDirs(entry.path, last, lower)) {
          if (isPast(dir)) return;
          last = dir;
          if (kept(dir)) yield { path: dir, datum: '', content: undefined };
          if (closed?.(dir)) {
            passed = dir;
            break;
          }
        }
        if (passed !== undefined) {
          source.skipTo(afterDir(passed));
          continue;
        }
        // The first file past the end is read all the same: a directory that it stands in may not be past it.
        if (isPast(entry.path)) return;
        last = entry.path;
        if (kept(entry.path)) yield { path: entry.path, datum: entry.datum, content: entry.contents[0] };
      }
    },
  };
}

/** The files whose path begins so, in order, unchecked; of every datum, or of one. */
export async function* filesUnder(
  db: Db,
  layers: readonly number[],
  prefix: string,
  datum: string,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  const pause = createPause(signal);
  const cursor = openCursor(db, layers, { lower: entryOrder(prefix, '').slice(0, -1), upper: afterPrefix(prefix) });
  for (let entry = cursor.next(); entry; entry = cursor.next()) {
    await pause();
    if (datum === '' || entry.datum === datum) yield entry;
  }
}

const EMPTY_DIR: NodeInfo = { sizeBytes: 0, hash: blake2b() };

/** A directory that is being read: what has been found of it so far. */
interface DirSum {
  readonly path: string;
  readonly hashes: ReturnType<typeof createHashList>;
  sizeBytes: number;
}

function createDirSum(path: string): DirSum {
  return { path, hashes: createHashList(), sizeBytes: 0 };
}

/** Many hashes, packed: as single buffers those of a large directory would take ten times the room. */
function createHashList(): { readonly add: (hash: Buffer) => void; readonly bytes: () => Buffer } {
  let bytes = Buffer.allocUnsafe(64);
  let used = 0;
  return {
    add: (hash) => {
      if (used + hash.length > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
      used += hash.copy(bytes, used);
    },
    bytes: () => bytes.subarray(0, used),
  };
}

/** The directories to tell of before a path: those that the path before it was not in, from the outermost. */
function missingDirs(path: string, last: string, lower: string): readonly string[] {
  const dirs: string[] = [];
  for (let at = isDirPath(path) ? path.length - 1 : path.length; at > 0; ) {
    at = path.lastIndexOf('/', at - 1);
    const parent = path.slice(0, at + 1);
    if (last >= parent || parent < lower) break;
    dirs.push(parent);
  }
  return dirs.reverse();
}

/** What is below a directory that was kept is kept, too. */
function createFilter(keep: ((path: string) => boolean) | undefined): (path: string) => boolean {
  if (!keep) return () => true;
  let dir = '';
  return (path) => {
    if (dir !== '' && path.startsWith(dir)) return true;
    const kept = keep(path);
    if (kept && isDirPath(path)) dir = path;
    return kept;
  };
}

/** The first order after all that is below a directory: `0` follows the slash. */
function afterDir(path: string): string {
  return path === '/' ? END : `${path.slice(0, -1)}0`;
}

function afterPrefix(prefix: string): string {
  return prefix === '' ? END : entryOrder(prefix, '').slice(0, -1) + END;
}

function createPause(signal: AbortSignal): () => Promise<void> | undefined {
  let count = 0;
  return () => {
    if (++count % PAUSE_ENTRIES !== 0) return undefined;
    if (signal.aborted) throw new PfsError('cancelled', 'context canceled');
    return new Promise((resolve) => setImmediate(resolve));
  };
}
