import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** Before each block in a pack stand its id (32 bytes) and its length (4). */
export const HEADER_BYTES = 36;

export function packPath(folder: string, id: number): string {
  return join(folder, 'packs', `${String(id).padStart(8, '0')}.pack`);
}

/** A file that blocks are appended to, by one process only. What was never synced may be lost, and nobody knows of it. */
export interface Pack {
  readonly id: number;
  readonly size: () => number;
  /** Resolves to the offset of the block's bytes, when they can be read. */
  readonly append: (id: Buffer, block: readonly Buffer[], length: number) => Promise<number>;
  /** Resolves when all that was appended before the call is on disk. */
  readonly sync: () => Promise<void>;
  /** Keeps the file open until as many calls of `release`. Gives the pack itself. */
  readonly hold: () => Pack;
  readonly release: () => void;
  /** Resolves when the file is closed: after all who hold it have released it. */
  readonly close: () => Promise<void>;
}

export async function createPack(folder: string, id: number): Promise<Pack> {
  const file = await open(packPath(folder, id), 'wx');
  let size = 0;
  let writes: Promise<unknown> = Promise.resolve();
  let holders = 0;
  let onFree = () => {};
  const pack: Pack = {
    id,
    size: () => size,
    append: async (blockId, block, length) => {
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      blockId.copy(header);
      header.writeUInt32BE(length, 32);
      const start = size;
      size += HEADER_BYTES + length;
      const writing = writeAll(file, [header, ...block], start);
      writes = Promise.all([writes.catch(() => undefined), writing]);
      await writing;
      return start + HEADER_BYTES;
    },
    sync: createSync(() => file.datasync()),
    hold: () => {
      holders += 1;
      return pack;
    },
    release: () => {
      holders -= 1;
      if (holders === 0) onFree();
    },
    close: async () => {
      if (holders > 0) {
        await new Promise<void>((resolve) => {
          onFree = resolve;
        });
      }
      await writes.catch(() => undefined);
      await file.close();
    },
  };
  return pack;
}

async function writeAll(file: FileHandle, parts: readonly Buffer[], position: number): Promise<void> {
  const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Callers that come while a sync runs share the next one, since the running one may not cover what they wrote. */
function createSync(flush: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        running = flush();
        return running;
      });
    return next;
  };
}
