import { LRUCache } from 'lru-cache';
import { type CommitRef, commitKey } from '../pachd/model.ts';
import { type Delta, type Overlay, overlayOf } from './overlay.ts';

const COMMITS_MAX = 20_000;
/** Paths of the deltas that are held for it. */
const PATHS_MAX = 100_000;

/** What a commit is made of: the one before it, and what it changed. */
export interface Step {
  readonly before: CommitRef;
  readonly delta: Delta;
  /** Whether it changed anything at a path, or below it. */
  touches(path: string): boolean;
  /** Whether it put anything below a path. */
  putsBelow(path: string): boolean;
}

/**
 * Which commits were made of which: what a commit did not change is what the one before it has there, and need not be asked again. Only
 * good commits are built upon: who takes something from a commit that may have failed must ask first.
 */
export interface Lineage {
  /** What a branch was seen to be: a good commit, and unfinished ones that were made on it, oldest first. */
  note(base: CommitRef, pending: readonly string[], deltas: ReadonlyMap<string, Delta>): void;
  /** undefined: it is not known. */
  stepOf(commit: CommitRef): Step | undefined;
  /** Whether it is known to be finished without an error. */
  isGood(commit: CommitRef): boolean;
  setGood(commit: CommitRef): void;
}

export function createLineage(): Lineage {
  const steps = new LRUCache<string, Step>({
    maxSize: PATHS_MAX,
    sizeCalculation: ({ delta }) => 1 + delta.entries.size,
  });
  const good = new LRUCache<string, true>({ max: COMMITS_MAX });

  return {
    note(base, pending, deltas) {
      good.set(commitKey(base), true);
      let before = base;
      for (const commitId of pending) {
        const delta = deltas.get(commitId);
        if (delta === undefined) return;
        const commit = { ...base, commitId };
        const known = steps.get(commitKey(commit));
        // One that failed is passed over: its successor then stands on the one before.
        if (known?.before.commitId !== before.commitId) steps.set(commitKey(commit), stepFrom(before, delta));
        before = commit;
      }
    },
    stepOf: (commit) => steps.get(commitKey(commit)),
    isGood: (commit) => good.has(commitKey(commit)),
    setGood: (commit) => void good.set(commitKey(commit), true),
  };
}

function stepFrom(before: CommitRef, delta: Delta): Step {
  let changes: Overlay | undefined;
  const below = (): Overlay => {
    changes ??= overlayOf([delta]);
    return changes;
  };
  return {
    before,
    delta,
    touches: (path) => delta.entries.has(path) || below().changesBelow(path),
    putsBelow: (path) => below().hasBelow(path),
  };
}
