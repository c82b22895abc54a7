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

/** An overlay to which more may be laid. */
export interface GrowingOverlay extends Overlay {
  put(path: string, entry: DeltaEntry): void;
}

/** @param deltas oldest first */
export function overlayOf(deltas: readonly Delta[]): Overlay {
  const overlay = growingOverlay();
  for (const delta of deltas) for (const [path, entry] of delta.entries) overlay.put(path, entry);
  return overlay;
}

export function growingOverlay(): GrowingOverlay {
  const entries = new Map<string, DeltaEntry>();
  let paths: readonly string[] | undefined;
  /** How many paths are put below a folder; made when somebody asks. */
  let folders: Map<string, number> | undefined;

  const count = (path: string, by: number): void => {
    for (const folder of foldersAbove(path)) folders?.set(folder, (folders.get(folder) ?? 0) + by);
  };

  return {
    get size() {
      return entries.size;
    },
    find: (path) => entries.get(path),
    hasBelow(path) {
      if (folders === undefined) {
        folders = new Map();
        for (const [put, { kind }] of entries) if (kind === 'put') count(put, 1);
      }
      return (folders.get(path) ?? 0) > 0;
    },
    get paths() {
      paths ??= [...entries.keys()].sort();
      return paths;
    },
    put(path, entry) {
      paths = undefined;
      const was = entries.get(path)?.kind === 'put' ? 1 : 0;
      const is = entry.kind === 'put' ? 1 : 0;
      if (is !== was) count(path, is - was);
      entries.set(path, entry);
    },
  };
}
