import type { Db } from '../store/db.ts';
import { getEntry, openCursor } from './cursor.ts';
import { type Entry, entryOrder, sizeOf } from './entry.ts';
import { END } from './rows.ts';

/** What pachd's validation says of two files that stand one after the other, if anything. */
export function collisionOf(previous: Entry | undefined, entry: Entry): string | undefined {
  const [, second] = entry.contents;
  if (second) return duplicate(entry, entry);
  if (!previous) return undefined;
  if (previous.path === entry.path) return duplicate(previous, entry);
  if (entry.path.startsWith(`${previous.path}/`)) return `file / directory path collision (${entry.path})`;
  return undefined;
}

function duplicate(first: Entry, second: Entry): string {
  return `duplicate path output by different datums (${first.path} from ${first.datum} and ${second.path} from ${second.datum})`;
}

export interface Verdict {
  readonly sizeBytes: number;
  readonly error: string;
}

/**
 * Checks a commit of which the base is sound: only what stands next to a changed path can be new. So this costs with the change and not with
 * the repo.
 */
export function createValidator(db: Db, base: readonly number[], total: readonly number[], baseSizeBytes: number) {
  let sizeBytes = baseSizeBytes;
  let first: { readonly order: string; readonly error: string } | undefined;

  const neighbour = (order: string, reverse: boolean): Entry | undefined => {
    const span = reverse ? { lower: '', upper: order } : { lower: `${order}\0`, upper: END };
    return openCursor(db, total, span, reverse).next();
  };
  const check = (previous: Entry | undefined, entry: Entry | undefined) => {
    if (!entry) return;
    const error = collisionOf(previous, entry);
    const order = entryOrder(entry.path, entry.datum);
    if (error !== undefined && (!first || order < first.order)) first = { order, error };
  };

  return {
    /** Takes the next entry of the commit's own layer, in order. */
    visit: (change: Entry): void => {
      const order = entryOrder(change.path, change.datum);
      const now = getEntry(db, total, order);
      sizeBytes += sizeOf(now) - sizeOf(getEntry(db, base, order));
      // Once something was found only what comes before it could matter, and entries come in order.
      if (first && first.order < order) return;
      const previous = neighbour(order, true);
      if (now) check(previous, now);
      check(now ?? previous, neighbour(order, false));
    },
    verdict: (): Verdict => ({ sizeBytes, error: first?.error ?? '' }),
  };
}

/** The same by reading everything, for commits that change much of the repo. */
export function createFullValidator() {
  let sizeBytes = 0;
  let error: string | undefined;
  let previous: Entry | undefined;
  return {
    visit: (entry: Entry): void => {
      sizeBytes += sizeOf(entry);
      error ??= collisionOf(previous, entry);
      previous = entry;
    },
    verdict: (): Verdict => ({ sizeBytes, error: error ?? '' }),
  };
}
