import type { Db } from '../store/db.ts';
import { mergedEntries } from './cursor.ts';
import { layerRecords, type PreparedLayer, prepareOrdered } from './layers.ts';

/** A layer is merged into the one below when it has more than a quarter of its entries. */
const LEVEL_FACTOR = 4;
const LAYERS_MAX = 12;

/**
 * Which of the upper layers to merge, as an index into `layers`: all from it on. Sizes fall by a factor from the bottom up, so that there are
 * few layers to read and an entry is rewritten only a few times, however many commits there are.
 */
export function levelToMerge(rows: readonly number[]): number {
  let from = rows.length;
  let above = 0;
  for (let i = rows.length - 1; i >= 0; i--) {
    const here = rows[i] ?? 0;
    if (i < rows.length - 1 && here < above * LEVEL_FACTOR) from = i;
    above += here;
  }
  const left = from < rows.length ? from + 1 : rows.length;
  return left > LAYERS_MAX ? LAYERS_MAX - 1 : from;
}

/** Merges the layers into one. The bottom of a commit's content needs no deletions, a part of it does. */
export function mergeLayers(
  db: Db,
  owner: string,
  layers: readonly number[],
  keepDeletes: boolean,
): Promise<PreparedLayer> {
  return prepareOrdered(db, owner, mergedEntries(db, layers, keepDeletes));
}

/** The number of entries of each layer. */
export function rowsOf(db: Db, layers: readonly number[]): readonly number[] {
  return layerRecords(db, layers).map(({ rows }) => rows);
}
