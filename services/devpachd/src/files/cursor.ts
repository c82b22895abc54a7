import type { Db } from '../store/db.ts';
import { decodeEntry, type Entry, stackEntries } from './entry.ts';
import { layerKey } from './layers.ts';

const FIRST_BATCH_ROWS = 16;
const BATCH_ROWS = 256;

/** Which entries, by their order (path, zero byte, datum): from `lower` on, up to but without `upper`. */
export interface Span {
  readonly lower: string;
  readonly upper: string;
}

/** Greater than every path of printable characters. */
export const END = '\xff';

/** The entries of a stack of layers, merged. Layers never change, so a cursor may be read from over many turns of the event loop. */
export interface Cursor {
  /** The next entry that is not deleted, or undefined at the end. */
  readonly next: () => Entry | undefined;
}

interface Row {
  readonly order: string;
  readonly value: Buffer;
}

interface LayerCursor {
  readonly peek: () => Row | undefined;
  readonly advance: () => void;
}

function layerCursor(db: Db, layer: number, span: Span, reverse: boolean): LayerCursor {
  const low = layerKey(layer, span.lower);
  const high = layerKey(layer, span.upper);
  let rows: readonly Row[] = [];
  let at = 0;
  let limit = FIRST_BATCH_ROWS;
  let last: Buffer | undefined;
  let ended = false;
  const fill = () => {
    // Backwards, LMDB takes the start as inclusive and the end as exclusive; the span is the other way round.
    const range = reverse
      ? { start: last ?? high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true }
      : { start: last ?? low, end: high, exclusiveStart: last !== undefined };
    const found = [...db.files.getRange({ ...range, limit })];
    ended = found.length < limit;
    limit = BATCH_ROWS;
    last = found.at(-1)?.key ?? last;
    rows = found.map(({ key, value }) => ({ order: key.toString('latin1', 8), value }));
    at = 0;
    // A layer that was collected under its reader must not look like one that ended.
    if (ended && !db.layers.get(layer)) throw new Error(`layer ${layer} was collected while it was read`);
  };
  return {
    peek: () => {
      if (at >= rows.length && !ended) fill();
      return rows[at];
    },
    advance: () => {
      at++;
    },
  };
}

/** Opens the layers, lowest first, for reading in order, or backwards. */
export function openCursor(db: Db, layers: readonly number[], span: Span, reverse = false): Cursor {
  const cursors = layers.map((layer) => layerCursor(db, layer, span, reverse));
  const merge = (): Entry | undefined => {
    let next: string | undefined;
    for (const cursor of cursors) {
      const order = cursor.peek()?.order;
      if (order !== undefined && (next === undefined || (reverse ? order > next : order < next))) next = order;
    }
    if (next === undefined) return undefined;
    let entry: Entry | undefined;
    for (const cursor of cursors) {
      const row = cursor.peek();
      if (row?.order !== next) continue;
      const upper = decodeEntry(next, row.value);
      entry = entry ? stackEntries(entry, upper) : upper;
      cursor.advance();
    }
    return entry;
  };
  return {
    next: () => {
      for (;;) {
        const entry = merge();
        if (!entry || entry.contents.length > 0) return entry;
      }
    },
  };
}

/** Every entry of a stack, those that only delete too, as one layer would hold it. */
export function* mergedEntries(db: Db, layers: readonly number[], keepDeletes: boolean): Generator<Entry> {
  const cursors = layers.map((layer) => layerCursor(db, layer, { lower: '', upper: END }, false));
  for (;;) {
    let next: string | undefined;
    for (const cursor of cursors) {
      const order = cursor.peek()?.order;
      if (order !== undefined && (next === undefined || order < next)) next = order;
    }
    if (next === undefined) return;
    let entry: Entry | undefined;
    for (const cursor of cursors) {
      const row = cursor.peek();
      if (row?.order !== next) continue;
      const upper = decodeEntry(next, row.value);
      const deletes = upper.deletes || (entry?.deletes ?? false);
      entry = entry ? { ...stackEntries(entry, upper), deletes } : upper;
      cursor.advance();
    }
    if (entry && (keepDeletes || entry.contents.length > 0)) yield keepDeletes ? entry : { ...entry, deletes: false };
  }
}

/** What the stack holds of exactly this path and datum. */
export function getEntry(db: Db, layers: readonly number[], order: string): Entry | undefined {
  let entry: Entry | undefined;
  for (const layer of layers) {
    const value = db.files.get(layerKey(layer, order));
    if (!value) continue;
    const upper = decodeEntry(order, value);
    entry = entry ? stackEntries(entry, upper) : upper;
  }
  return entry && entry.contents.length > 0 ? entry : undefined;
}
