import { holdPacks, releasePacks } from '../content/blocks.ts';
import { type Db, nextNumber } from '../store/db.ts';
import { keeping } from '../store/disk.ts';
import { PfsError } from '../store/errors.ts';
import type { LayerRecord } from '../store/records.ts';
import { type Entry, encodeEntry, entryOrder, sizeOf } from './entry.ts';
import { createRowWriter, deleteRows } from './rows.ts';

/** Fewer entries are written in the transaction that makes them visible; more go before it, in transactions of this size. */
const BATCH_ROWS = 4000;
const BATCH_NAMES_BYTES = 8 * 1024 * 1024;

/** A layer that is written but not referred to; `commit`, inside a transaction, gives its id, which the caller must hold. */
export interface PreparedLayer {
  readonly commit: () => number;
  /** Gives it up, if nobody has come to refer to it. Until then its owner, while it lives, keeps it from being collected. */
  readonly abandon: () => Promise<void>;
}

/** What is to be known of a layer beside its entries. */
function createSummary() {
  const packs = new Set<number>();
  let rows = 0;
  let sizeBytes = 0;
  return {
    add: (entry: Entry): void => {
      rows++;
      sizeBytes += sizeOf(entry);
      for (const content of entry.contents) for (const ref of content.refs) packs.add(ref.pack);
    },
    read: () => ({ rows, sizeBytes, packs: [...packs] }),
  };
}

type Summary = ReturnType<ReturnType<typeof createSummary>['read']>;

function register(db: Db, owner: string, summary: Summary): number {
  const id = nextNumber(db, 'layer');
  const freeSince = Date.now();
  holdPacks(db, summary.packs);
  db.layers.put(id, { ...summary, id, refs: 0, freeSince, owner });
  db.freeLayers.put([freeSince, id], true);
  return id;
}

type PutRow = ReturnType<typeof createRowWriter>;

function putRows(put: PutRow, entries: readonly Entry[]): Promise<boolean> {
  let last = Promise.resolve(true);
  for (const entry of entries) last = put(entryOrder(entry.path, entry.datum), encodeEntry(entry));
  return last;
}

/** Writes entries, in any order, as a new layer. A crash before its `commit` leaves a layer without references, which is collected. */
export async function prepareLayer(db: Db, owner: string, entries: readonly Entry[]): Promise<PreparedLayer> {
  const ordered = entries.map((entry) => ({ order: entryOrder(entry.path, entry.datum), entry }));
  ordered.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
  return prepareOrdered(
    db,
    owner,
    ordered.map(({ entry }) => entry),
  );
}

/** The same for entries that come in order: they are never all in memory. */
export async function prepareOrdered(db: Db, owner: string, entries: Iterable<Entry>): Promise<PreparedLayer> {
  const summary = createSummary();
  let begun: { readonly id: number; readonly put: PutRow } | undefined;
  let batch: Entry[] = [];
  let namesBytes = 0;
  for (const entry of entries) {
    summary.add(entry);
    batch.push(entry);
    namesBytes += entry.path.length + entry.datum.length;
    if (batch.length < BATCH_ROWS && namesBytes < BATCH_NAMES_BYTES) continue;
    if (!begun) {
      // Its packs are held by what the entries come from until the layer itself is ready to hold them.
      const id = await db.write(() => register(db, owner, { rows: 0, sizeBytes: 0, packs: [] }));
      begun = { id, put: createRowWriter(db, id) };
    }
    await keeping(db.folder, putRows(begun.put, batch));
    batch = [];
    namesBytes = 0;
  }
  const rest = batch;
  if (!begun) {
    let made: number | undefined;
    return {
      commit: () => {
        made = register(db, owner, summary.read());
        putRows(createRowWriter(db, made), rest);
        return made;
      },
      abandon: async () => {
        if (made !== undefined) await disown(db, made);
      },
    };
  }
  const written = begun.id;
  await keeping(db.folder, putRows(begun.put, rest));
  await db.write(() => {
    const layer = db.layers.get(written);
    if (!layer) throw new Error(`layer ${written} was collected while it was written`);
    holdPacks(db, summary.read().packs);
    db.layers.put(written, { ...layer, ...summary.read() });
  });
  return { commit: () => written, abandon: () => disown(db, written) };
}

/** Leaves a layer to the collector, unless somebody refers to it. */
async function disown(db: Db, id: number): Promise<void> {
  if (!db.layers.get(id)?.owner) return;
  await db.write(() => {
    const layer = db.layers.get(id);
    if (layer) db.layers.put(id, { ...layer, owner: '' });
  });
}

/** Counts one more user of each layer. Only inside a transaction. */
export function holdLayers(db: Db, ids: readonly number[]): void {
  for (const id of ids) {
    const layer = db.layers.get(id);
    if (!layer) throw new PfsError('unavailable', 'files that were to be used have just been collected: try again');
    if (layer.refs === 0) db.freeLayers.remove([layer.freeSince, id]);
    db.layers.put(id, { ...layer, refs: layer.refs + 1, owner: '' });
  }
}

/** Counts one user of each layer less. Only inside a transaction. */
export function releaseLayers(db: Db, ids: readonly number[]): void {
  for (const id of ids) {
    const layer = db.layers.get(id);
    if (!layer) continue;
    const freeSince = Date.now();
    if (layer.refs === 1) db.freeLayers.put([freeSince, id], true);
    db.layers.put(id, { ...layer, refs: layer.refs - 1, freeSince });
  }
}

export function layerRecords(db: Db, ids: readonly number[]): readonly LayerRecord[] {
  return ids.map((id) => {
    const layer = db.layers.get(id);
    if (!layer) throw new Error(`layer ${id} is gone`);
    return layer;
  });
}

/** How many entries the layers have together: what upper layers replace or delete is counted as well. */
export function countRows(db: Db, ids: readonly number[]): number {
  return layerRecords(db, ids).reduce((sum, layer) => sum + layer.rows, 0);
}

/** An upper bound: what upper layers delete is counted. */
export function layersSizeBytes(db: Db, ids: readonly number[]): number {
  return layerRecords(db, ids).reduce((sum, layer) => sum + layer.sizeBytes, 0);
}

/** Removes layers' rows, and lets go of their packs. */
export async function deleteLayer(db: Db, layer: LayerRecord): Promise<void> {
  await deleteRows(db, layer.id);
  await db.write(() => {
    if (!db.layers.get(layer.id)) return;
    db.layers.remove(layer.id);
    db.freeLayers.remove([layer.freeSince, layer.id]);
    releasePacks(db, layer.packs);
  });
}
