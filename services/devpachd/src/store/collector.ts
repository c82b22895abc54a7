import { readFile, unlink } from 'node:fs/promises';
import { blockIdsOf } from '../content/blocks.ts';
import { packPath } from '../content/pack.ts';
import { decodeRef } from '../content/ref.ts';
import { deleteLayer } from '../files/layers.ts';
import type { Db } from './db.ts';
import { expireFileSets } from './file-sets.ts';
import { forgetTheDead, isAlive, sayAlive, takeLease } from './leases.ts';
import type { PackRecord } from './records.ts';

export interface CollectorOptions {
  readonly periodMs: number;
  /** How long what nobody refers to is kept, so that whoever reads it at the moment can end. */
  readonly graceMs: number;
}

export const COLLECTOR_DEFAULTS: CollectorOptions = { periodMs: 1000, graceMs: 120_000 };

const BATCH = 200;
const LEASE = 'collector';

export interface Collector {
  readonly close: () => Promise<void>;
}

/** Removes expired file sets, and after a while the layers and packs that nobody refers to any more. One process of a folder does it. */
export function startCollector(
  db: Db,
  owner: string,
  options: CollectorOptions,
  onError: (error: unknown) => void,
): Collector {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= collect(db, owner, options)
      .catch(onError)
      .finally(() => {
        running = undefined;
      });
  }, options.periodMs);
  return {
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

async function collect(db: Db, owner: string, { graceMs }: CollectorOptions): Promise<void> {
  const isMine = await db.write(() => {
    sayAlive(db, owner);
    const mine = takeLease(db, LEASE, owner);
    if (mine) {
      expireFileSets(db, Date.now(), BATCH);
      forgetTheDead(db);
    }
    return mine;
  });
  if (!isMine) return;
  const before = Date.now() - graceMs;
  for (const [, id] of [...db.freeLayers.getKeys({ end: [before, 0], limit: BATCH })]) {
    const layer = db.layers.get(id);
    if (layer && layer.refs === 0 && !(layer.owner !== '' && isAlive(db, layer.owner))) await deleteLayer(db, layer);
  }
  for (const [freeSince, id] of [...db.freePacks.getKeys({ end: [before, 0], limit: BATCH })]) {
    const pack = db.packs.get(id);
    if (!pack) await db.write(() => db.freePacks.remove([freeSince, id]));
    else if (pack.refs === 0 && !(pack.open && isAlive(db, pack.owner))) await deletePack(db, pack);
  }
}

/** Its blocks are forgotten before the file goes, so no stream can come to share what is not there. */
async function deletePack(db: Db, pack: PackRecord): Promise<void> {
  const path = packPath(db.folder, pack.id);
  const bytes = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const gone = await db.write(() => {
    if (db.packs.get(pack.id)?.refs !== 0) return false;
    for (const { id } of blockIdsOf(bytes)) {
      const at = db.blocks.get(id);
      if (at && decodeRef(at).pack === pack.id) db.blocks.remove(id);
    }
    db.packs.remove(pack.id);
    db.freePacks.remove([pack.freeSince, pack.id]);
    return true;
  });
  if (gone) await unlink(path).catch(() => undefined);
}
