import { holdPacks, releasePacks } from '../content/blocks.ts';
import { type Db, nextNumber } from '../store/db.ts';
import { PfsError } from '../store/errors.ts';
import type { LayerRecord } from '../store/records.ts';
import { type Entry, encodeEntry, entryOrder, sizeOf } from './entry.ts';

/** Up to so many entries are written in the transaction that makes them visible; more go before it, in several. */
const ATOMIC_ROWS_MAX = 2000;
const BATCH_ROWS = 5000;

export function layerKey(layer: number, order: string): Buffer {
  const key = Buffer.allocUnsafe(8 + order.length);
  key.writeUIntBE(0, 0, 2);
  key.writeUIntBE(layer, 2, 6);
  key.write(order, 8, 'latin1');
  return key;
}

/** A layer that is written but not referred to; `commit`, inside a transaction, gives its id, which the caller must hold. */
export interface PreparedLayer {
  readonly commit: () => number;
  /** Gives up what `prepareLayer` has written, if anything. */
  readonly abandon: () => Promise<void>;
}

/** Writes entries as a new layer. A crash before its `commit` leaves a layer without references, which is collected. */
export async function prepareLayer(db: Db, owner: string, entries: readonly Entry[]): Promise<PreparedLayer> {
  const rows = entries.map((entry) => ({ order: entryOrder(entry.path, entry.datum), entry }));
  rows.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
  const packs = new Set<number>();
  let sizeBytes = 0;
  for (const entry of entries) {
    sizeBytes += sizeOf(entry);
    for (const content of entry.contents) for (const ref of content.refs) packs.add(ref.pack);
  }
  const register = (): number => {
    const id = nextNumber(db, 'layer');
    const freeSince = Date.now();
    holdPacks(db, packs);
    db.layers.put(id, { id, rows: rows.length, sizeBytes, packs: [...packs], refs: 0, freeSince, owner });
    db.freeLayers.put([freeSince, id], true);
    return id;
  };
  const put = (id: number, part: typeof rows) => {
    let last: Promise<boolean> | undefined;
    for (const { order, entry } of part) last = db.files.put(layerKey(id, order), encodeEntry(entry));
    return last;
  };
  if (rows.length <= ATOMIC_ROWS_MAX) {
    return {
      commit: () => {
        const id = register();
        put(id, rows);
        return id;
      },
      abandon: async () => undefined,
    };
  }
  const id = await db.write(register);
  for (let at = 0; at < rows.length; at += BATCH_ROWS) await put(id, rows.slice(at, at + BATCH_ROWS));
  const abandon = () =>
    db.write(() => {
      const layer = db.layers.get(id);
      if (layer) db.layers.put(id, { ...layer, owner: '' });
    });
  return { commit: () => id, abandon };
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

/** An upper bound: what upper layers delete is counted. */
export function layersSizeBytes(db: Db, ids: readonly number[]): number {
  return layerRecords(db, ids).reduce((sum, layer) => sum + layer.sizeBytes, 0);
}

/** Removes layers' rows, and lets go of their packs. */
export async function deleteLayer(db: Db, layer: LayerRecord): Promise<void> {
  const range = { start: layerKey(layer.id, ''), end: layerKey(layer.id + 1, '') };
  for (;;) {
    const keys = [...db.files.getKeys({ ...range, limit: BATCH_ROWS })];
    if (keys.length === 0) break;
    let last: Promise<boolean> | undefined;
    for (const key of keys) last = db.files.remove(key);
    await last;
  }
  await db.write(() => {
    if (!db.layers.get(layer.id)) return;
    db.layers.remove(layer.id);
    db.freeLayers.remove([layer.freeSince, layer.id]);
    releasePacks(db, layer.packs);
  });
}
