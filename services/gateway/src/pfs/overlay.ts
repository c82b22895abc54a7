import { foldersAbove } from './key.ts';

/** What one commit did to one path. */
export type DeltaEntry =
  | {
      readonly kind: 'put';
      readonly commitId: string;
      readonly sizeBytes: number;
      /** undefined: pachd tells it once the commit is finished. */
      readonly hash: Uint8Array | undefined;
      readonly timeMs: number;
      /** Where its bytes can be read before the commit is finished; undefined: only in memory, if they are there. */
      readonly staged: { readonly fileSetId: string; readonly path: string } | undefined;
    }
  | { readonly kind: 'deleted' };

/** What a commit changed, by path. Written once, by who made the commit; it never changes, since the commit cannot. */
export interface Delta {
  readonly entries: ReadonlyMap<string, DeltaEntry>;
}

/** What the pending commits of a branch, taken together, lay over the commit that is read. */
export interface Overlay {
  readonly size: number;
  /** What was done last to a path; undefined: nothing. */
  find(path: string): DeltaEntry | undefined;
  /** Whether it puts anything below a path. */
  hasBelow(path: string): boolean;
  /** The changed paths in byte order. */
  readonly paths: readonly string[];
}

const NO_CHANGES: Overlay = { size: 0, find: () => undefined, hasBelow: () => false, paths: [] };

/** @param deltas oldest first */
export function overlayOf(deltas: readonly Delta[]): Overlay {
  if (deltas.length === 0) return NO_CHANGES;
  const entries = new Map<string, DeltaEntry>();
  for (const delta of deltas) for (const [path, entry] of delta.entries) entries.set(path, entry);
  let paths: readonly string[] | undefined;
  let folders: ReadonlySet<string> | undefined;
  return {
    size: entries.size,
    find: (path) => entries.get(path),
    hasBelow(path) {
      folders ??= foldersOf(entries);
      return folders.has(path);
    },
    get paths() {
      paths ??= [...entries.keys()].sort();
      return paths;
    },
  };
}

/** All folders in which something was put. */
function foldersOf(entries: ReadonlyMap<string, DeltaEntry>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const [path, { kind }] of entries) {
    if (kind === 'put') for (const folder of foldersAbove(path)) folders.add(folder);
  }
  return folders;
}
