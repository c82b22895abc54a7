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
  /** Whether it changes anything below a path. */
  changesBelow(path: string): boolean;
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
  return new Changes();
}

class Changes implements GrowingOverlay {
  readonly #entries = new Map<string, DeltaEntry>();
  #paths: readonly string[] | undefined;
  /** How many paths are put below a folder, and how many are changed there; made when somebody asks. */
  #folders: Map<string, { puts: number; changes: number }> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  find(path: string): DeltaEntry | undefined {
    return this.#entries.get(path);
  }

  hasBelow(path: string): boolean {
    return (this.#below(path)?.puts ?? 0) > 0;
  }

  changesBelow(path: string): boolean {
    return this.#below(path) !== undefined;
  }

  get paths(): readonly string[] {
    this.#paths ??= [...this.#entries.keys()].sort();
    return this.#paths;
  }

  put(path: string, entry: DeltaEntry): void {
    this.#paths = undefined;
    const before = this.#entries.get(path);
    const puts = Number(entry.kind === 'put') - Number(before?.kind === 'put');
    this.#count(path, puts, before === undefined ? 1 : 0);
    this.#entries.set(path, entry);
  }

  #below(folder: string): { puts: number; changes: number } | undefined {
    if (this.#folders === undefined) {
      this.#folders = new Map();
      for (const [path, { kind }] of this.#entries) this.#count(path, Number(kind === 'put'), 1);
    }
    return this.#folders.get(folder);
  }

  #count(path: string, puts: number, changes: number): void {
    if (this.#folders === undefined || (puts === 0 && changes === 0)) return;
    for (const folder of foldersAbove(path)) {
      const below = this.#folders.get(folder) ?? { puts: 0, changes: 0 };
      this.#folders.set(folder, { puts: below.puts + puts, changes: below.changes + changes });
    }
  }
}
