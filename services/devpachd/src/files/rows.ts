import type { Db } from '../store/db.ts';
import { keeping } from '../store/disk.ts';

/**
 * LMDB bounds its keys, pachd does not bound its paths. An order that is longer than this stands in a run of its own: in its place a pointer
 * with so many of its first bytes names the run, in which the rest of it stands, by the same rule. So rows are in order however long they are.
 */
const PLAIN_MAX_BYTES = 1701;
/** A pointer has one byte more than any row: it stands behind the row that is just its prefix, and before all others. */
const POINTER = '\x01';
const AFTER_POINTER = '\x02';

const FIRST_BATCH_ROWS = 16;
const BATCH_ROWS = 256;
const DELETE_ROWS = 4000;

/** Which entries, by their order (path, zero byte, datum): from `lower` on, up to but without `upper`. */
export interface Span {
  readonly lower: string;
  readonly upper: string;
}

/** Greater than every order, and every rest of one: the bytes of UTF-8 are less. */
export const END = '\xff';

export interface Row {
  readonly order: string;
  readonly value: Buffer;
}

/** The rows of a layer stand in its run 0, those of long orders in others, which only this layer has. */
const OWN_RUN = 0;
const OWN_HEAD_BYTES = 8;
const RUN_HEAD_BYTES = 12;

function headBytes(run: number): number {
  return run === OWN_RUN ? OWN_HEAD_BYTES : RUN_HEAD_BYTES;
}

/** Kind (2; 0 is the own run), layer (6), number of another run (4), then the order. */
function rowKey(layer: number, run: number, order: string): Buffer {
  const head = headBytes(run);
  const key = Buffer.allocUnsafe(head + order.length);
  key.writeUInt16BE(run === OWN_RUN ? 0 : 1, 0);
  key.writeUIntBE(layer, 2, 6);
  if (run !== OWN_RUN) key.writeUInt32BE(run, 8);
  key.write(order, head, 'latin1');
  return key;
}

/** Where the first row from a bound on stands. */
function lowKey(layer: number, run: number, bound: string): Buffer {
  const isLong = bound.length > PLAIN_MAX_BYTES;
  return rowKey(layer, run, isLong ? bound.slice(0, PLAIN_MAX_BYTES) + POINTER : bound);
}

/** Where the first row stands that is past a bound, with all of its run. */
function highKey(layer: number, run: number, bound: string): Buffer {
  const isLong = bound.length > PLAIN_MAX_BYTES;
  return rowKey(layer, run, isLong ? bound.slice(0, PLAIN_MAX_BYTES) + AFTER_POINTER : bound);
}

/** The rows of a layer in order, or backwards. They may be read over many turns of the event loop: layers never change. */
export function rowsInSpan(db: Db, layer: number, span: Span, reverse: boolean): Generator<Row> {
  return rowsInRun(db, layer, OWN_RUN, '', span, reverse);
}

function* rowsInRun(db: Db, layer: number, run: number, before: string, span: Span, reverse: boolean): Generator<Row> {
  const low = lowKey(layer, run, span.lower);
  const high = highKey(layer, run, span.upper);
  const head = headBytes(run);
  let last: Buffer | undefined;
  for (let limit = FIRST_BATCH_ROWS; ; limit = BATCH_ROWS) {
    // Backwards, LMDB takes the start as inclusive and the end as exclusive; the span is the other way round.
    const range = reverse
      ? { start: last ?? high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true }
      : { start: last ?? low, end: high, exclusiveStart: last !== undefined };
    const found = [...db.files.getRange({ ...range, limit })];
    const ended = found.length < limit;
    last = found.at(-1)?.key ?? last;
    // A layer that was collected under its reader must not look like one that ended.
    if (ended && !db.layers.get(layer)) throw new Error(`layer ${layer} was collected while it was read`);
    for (const { key, value } of found) {
      const order = key.toString('latin1', head);
      if (order.length <= PLAIN_MAX_BYTES) yield { order: before + order, value };
      else {
        const prefix = order.slice(0, -1);
        const rest = { lower: restOf(span.lower, prefix, ''), upper: restOf(span.upper, prefix, END) };
        yield* rowsInRun(db, layer, value.readUInt32BE(0), before + prefix, rest, reverse);
      }
    }
    if (ended) return;
  }
}

/** A bound inside of the run that a prefix points to; one that is elsewhere does not bound it. */
function restOf(bound: string, prefix: string, none: string): string {
  return bound.length > prefix.length && bound.startsWith(prefix) ? bound.slice(prefix.length) : none;
}

/** The row of exactly this order. */
export function findRow(db: Db, layer: number, order: string): Buffer | undefined {
  let run = OWN_RUN;
  let rest = order;
  while (rest.length > PLAIN_MAX_BYTES) {
    const pointer = db.files.get(rowKey(layer, run, rest.slice(0, PLAIN_MAX_BYTES) + POINTER));
    if (!pointer) return undefined;
    run = pointer.readUInt32BE(0);
    rest = rest.slice(PLAIN_MAX_BYTES);
  }
  return db.files.get(rowKey(layer, run, rest));
}

/** Writes the rows of a new layer, which have to come in order. The promise resolves when the row, with all before it, is on disk. */
export function createRowWriter(db: Db, layer: number): (order: string, value: Buffer) => Promise<boolean> {
  /** The pointers on the way to the last row. */
  let way: { readonly prefix: string; readonly run: number }[] = [];
  let runs = OWN_RUN;
  return (order, value) => {
    let run = OWN_RUN;
    let rest = order;
    for (let depth = 0; rest.length > PLAIN_MAX_BYTES; depth++) {
      const prefix = rest.slice(0, PLAIN_MAX_BYTES);
      if (way[depth]?.prefix !== prefix) {
        const made = ++runs;
        const pointer = Buffer.allocUnsafe(4);
        pointer.writeUInt32BE(made, 0);
        db.files.put(rowKey(layer, run, prefix + POINTER), pointer);
        way = [...way.slice(0, depth), { prefix, run: made }];
      }
      run = way[depth]?.run ?? OWN_RUN;
      rest = rest.slice(PLAIN_MAX_BYTES);
    }
    return db.files.put(rowKey(layer, run, rest), value);
  };
}

/** Removes all rows of a layer. */
export async function deleteRows(db: Db, layer: number): Promise<void> {
  const own = { start: rowKey(layer, OWN_RUN, ''), end: rowKey(layer + 1, OWN_RUN, '') };
  const others = { start: rowKey(layer, OWN_RUN + 1, ''), end: rowKey(layer + 1, OWN_RUN + 1, '') };
  for (const range of [own, others]) {
    for (;;) {
      const keys = [...db.files.getKeys({ ...range, limit: DELETE_ROWS })];
      if (keys.length === 0) break;
      let last = Promise.resolve(true);
      for (const key of keys) last = db.files.remove(key);
      await keeping(db.folder, last);
    }
  }
}
