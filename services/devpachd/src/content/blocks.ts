import type { Db } from '../store/db.ts';
import { PfsError } from '../store/errors.ts';
import { blake2b } from './hash.ts';
import { HEADER_BYTES, type Pack } from './pack.ts';
import type { Packs } from './packs.ts';
import { decodeRef, encodeRef, type Ref } from './ref.ts';

/** A stream that brings more than this gets packs of its own. */
const SHARED_MAX_BYTES = 4 * 1024 * 1024;
const OWN_PACK_MAX_BYTES = 256 * 1024 * 1024;

export interface Block {
  readonly id: Buffer;
  readonly ref: Ref;
}

/** Stores the blocks of one stream, each content once in the whole folder. */
export interface BlockWriter {
  readonly put: (pieces: readonly Buffer[], length: number) => Promise<Block>;
  /** Resolves when every block that was put is on disk. */
  readonly sync: () => Promise<void>;
  /** Makes the new blocks known to other streams. Only inside a transaction, after `sync`. */
  readonly publish: () => void;
  /** Closes what was opened for this stream alone. */
  readonly close: () => Promise<void>;
}

export function createBlockWriter(db: Db, packs: Packs): BlockWriter {
  const known = new Map<string, Ref>();
  let fresh: { readonly id: Buffer; readonly ref: Ref }[] = [];
  const touched = new Set<Pack>();
  /** Shared packs, which may be full and given up by others while this stream still writes and syncs. */
  const held = new Set<Pack>();
  const owned: Pack[] = [];
  let bytes = 0;
  let opening: Promise<Pack> | undefined;

  const target = async (): Promise<Pack> => {
    if (bytes <= SHARED_MAX_BYTES) {
      const pack = await packs.shared();
      if (held.has(pack)) pack.release();
      held.add(pack);
      return pack;
    }
    const last = owned.at(-1);
    if (last && last.size() < OWN_PACK_MAX_BYTES) return last;
    opening ??= packs.own().then((pack) => {
      owned.push(pack);
      opening = undefined;
      return pack;
    });
    return opening;
  };

  return {
    put: async (pieces, length) => {
      const id = blake2b(...pieces);
      const name = id.toString('latin1');
      const ref = known.get(name) ?? findBlock(db, id);
      if (ref) {
        known.set(name, ref);
        return { id, ref };
      }
      bytes += length;
      const pack = await target();
      touched.add(pack);
      const offset = await pack.append(id, pieces, length);
      const made = { pack: pack.id, offset, length };
      known.set(name, made);
      fresh.push({ id, ref: made });
      return { id, ref: made };
    },
    sync: async () => {
      await Promise.all([...touched].map((pack) => pack.sync()));
    },
    publish: () => {
      for (const { id, ref } of fresh) db.blocks.put(id, encodeRef(ref));
      fresh = [];
    },
    close: async () => {
      for (const pack of held) pack.release();
      held.clear();
      for (const pack of owned.splice(0)) await packs.retire(pack);
    },
  };
}

/** Where a block is, unless nobody has it or its pack is about to go. */
function findBlock(db: Db, id: Buffer): Ref | undefined {
  const at = db.blocks.get(id);
  if (!at) return undefined;
  const ref = decodeRef(at);
  return db.packs.get(ref.pack) ? ref : undefined;
}

/** Counts one more user of each pack. Only inside a transaction; throws when one of them has been collected meanwhile. */
export function holdPacks(db: Db, ids: Iterable<number>): void {
  for (const id of ids) {
    const pack = db.packs.get(id);
    if (!pack) throw new PfsError('unavailable', 'content that was to be shared has just been collected: try again');
    if (pack.refs === 0) db.freePacks.remove([pack.freeSince, id]);
    db.packs.put(id, { ...pack, refs: pack.refs + 1 });
  }
}

/** Counts one user of each pack less. Only inside a transaction. */
export function releasePacks(db: Db, ids: Iterable<number>): void {
  for (const id of ids) {
    const pack = db.packs.get(id);
    if (!pack) continue;
    const freeSince = Date.now();
    if (pack.refs === 1) db.freePacks.put([freeSince, id], true);
    db.packs.put(id, { ...pack, refs: pack.refs - 1, freeSince });
  }
}

/** The ids of the blocks that a pack file holds, as far as it is whole. */
export function* blockIdsOf(bytes: Buffer): Generator<{ readonly id: Buffer; readonly offset: number }> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    yield { id: bytes.subarray(at, at + 32), offset: at + HEADER_BYTES };
    at += HEADER_BYTES + bytes.readUInt32BE(at + 32);
  }
}
