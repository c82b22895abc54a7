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
  return new Changes();
}

class Changes implements GrowingOverlay {
  readonly #entries = new Map<string, DeltaEntry>();
  #paths: readonly string[] | undefined;
  /** How many paths are put below a folder; made when somebody asks. */
  #folders: Map<string, number> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  find(path: string): DeltaEntry | undefined {
    return this.#entries.get(path);
  }

  hasBelow(path: string): boolean {
    if (this.#folders === undefined) {
      this.#folders = new Map();
      for (const [put, { kind }] of this.#entries) if (kind === 'put') this.#count(put, 1);
    }
    return (this.#folders.get(path) ?? 0) > 0;
  }

  get paths(): readonly string[] {
    this.#paths ??= [...this.#entries.keys()].sort();
    return this.#paths;
  }

  put(path: string, entry: DeltaEntry): void {
    this.#paths = undefined;
    const was = this.#entries.get(path)?.kind === 'put' ? 1 : 0;
    const is = entry.kind === 'put' ? 1 : 0;
    if (is !== was) this.#count(path, is - was);
    this.#entries.set(path, entry);
  }

  #count(path: string, by: number): void {
    for (const folder of foldersAbove(path)) this.#folders?.set(folder, (this.#folders.get(folder) ?? 0) + by);
  }
}
