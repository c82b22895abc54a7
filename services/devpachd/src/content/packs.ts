import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { type Db, nextNumber } from '../store/db.ts';
import { createPack, type Pack, packPath } from './pack.ts';
import type { Ref } from './ref.ts';

const OPEN_FILES_MAX = 128;
const SHARED_PACK_MAX_BYTES = 64 * 1024 * 1024;

/** The pack files of a folder: those that this process writes to, and all of them to read from. */
export interface Packs {
  /** The pack that small writes of this process share, held for the caller, who must `release` it: until then it stays open. */
  readonly shared: () => Promise<Pack>;
  /** A pack for one large stream, so that it can be thrown away with what the stream made. */
  readonly own: () => Promise<Pack>;
  /** Says that nothing more is appended. */
  readonly retire: (pack: Pack) => Promise<void>;
  readonly read: (ref: Ref) => Promise<Buffer>;
  readonly close: () => Promise<void>;
}

/** `takeSpace` throws where there is no room for so many bytes of content more. */
export function openPacks(db: Db, owner: string, takeSpace: (bytes: number) => void): Packs {
  mkdirSync(join(db.folder, 'packs'), { recursive: true });
  const readers = new LRUCache<number, Promise<FileHandle>>({ max: OPEN_FILES_MAX, dispose: closeQuietly });
  const written = new Map<number, Pack>();
  let shared: Promise<Pack> | undefined;

  const own = async () => {
    const id = await db.write(() => {
      const next = nextNumber(db, 'pack');
      const freeSince = Date.now();
      db.packs.put(next, { id: next, refs: 0, owner, open: true, freeSince });
      db.freePacks.put([freeSince, next], true);
      return next;
    });
    const pack = await createPack(db.folder, id, takeSpace);
    written.set(pack.id, pack);
    return pack;
  };

  const retire = async (pack: Pack) => {
    if (!written.has(pack.id)) return;
    await pack.close();
    written.delete(pack.id);
    await db.write(() => {
      const record = db.packs.get(pack.id);
      if (!record) return;
      // The time in which somebody may come to refer to it begins now, and not when the stream did.
      const freeSince = Date.now();
      if (record.refs === 0) {
        db.freePacks.remove([record.freeSince, pack.id]);
        db.freePacks.put([freeSince, pack.id], true);
      }
      db.packs.put(pack.id, { ...record, open: false, freeSince });
    });
  };

  const reader = (id: number) => {
    const opened = readers.get(id) ?? open(packPath(db.folder, id), 'r');
    readers.set(id, opened);
    opened.catch(() => readers.delete(id));
    return opened;
  };

  return {
    own,
    retire,
    shared: async () => {
      const making = shared;
      const current = making && (await making);
      if (current && !current.failed() && current.size() < SHARED_PACK_MAX_BYTES) return current.hold();
      // Whoever comes first after the pack is full replaces it; the others find the new one.
      if (shared === making) {
        shared = own();
        shared.catch(() => {
          shared = undefined;
        });
        // It is closed when the streams that still write to it have ended: nobody waits for that.
        if (current) retire(current).catch(() => undefined);
      }
      return (await (shared ?? own())).hold();
    },
    read: async (ref) => {
      // A stream may come back to what it has just written.
      await written.get(ref.pack)?.flush(ref.offset + ref.length);
      try {
        return await readAll(await reader(ref.pack), ref);
      } catch (error) {
        // The handle may have been dropped from the cache, and so closed, between the two steps.
        if (!isClosed(error)) throw error;
        readers.delete(ref.pack);
        return readAll(await reader(ref.pack), ref);
      }
    },
    close: async () => {
      for (const pack of written.values()) await pack.close();
      written.clear();
      readers.clear();
    },
  };
}

async function readAll(file: FileHandle, ref: Ref): Promise<Buffer> {
  const out = Buffer.allocUnsafe(ref.length);
  for (let at = 0; at < ref.length; ) {
    const { bytesRead } = await file.read(out, at, ref.length - at, ref.offset + at);
    if (bytesRead === 0) throw new Error(`pack ${ref.pack} ends at ${ref.offset + at}`);
    at += bytesRead;
  }
  return out;
}

/** A handle waits with its closing for the reads that have begun. */
function closeQuietly(opened: Promise<FileHandle>): void {
  opened.then((file) => file.close()).catch(() => undefined);
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EBADF';
}
