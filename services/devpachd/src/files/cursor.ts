import type { Db } from '../store/db.ts';
import { decodeEntry, type Entry, stackEntries } from './entry.ts';
import { END, findRow, type Row, rowsInSpan, type Span } from './rows.ts';

/** The entries of a stack of layers, merged. Layers never change, so a cursor may be read from over many turns of the event loop. */
export interface Cursor {
  /** The next entry that is not deleted, or undefined at the end. */
  readonly next: () => Entry | undefined;
}

interface LayerCursor {
  readonly peek: () => Row | undefined;
  readonly advance: () => void;
}

function layerCursor(db: Db, layer: number, span: Span, reverse: boolean): LayerCursor {
  const rows = rowsInSpan(db, layer, span, reverse);
  let row: Row | undefined;
  let isRead = false;
  return {
    peek: () => {
      if (!isRead) {
        const next = rows.next();
        row = next.done ? undefined : next.value;
        isRead = true;
      }
      return row;
    },
    advance: () => {
      isRead = false;
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
    const value = findRow(db, layer, order);
    if (!value) continue;
    const upper = decodeEntry(order, value);
    entry = entry ? stackEntries(entry, upper) : upper;
  }
  return entry && entry.contents.length > 0 ? entry : undefined;
}
