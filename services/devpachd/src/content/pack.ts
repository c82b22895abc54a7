import { type FileHandle, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PfsError } from '../store/errors.ts';

/** Before each block in a pack stand its id (32 bytes) and its length (4). */
export const HEADER_BYTES = 36;

/** Blocks are written together: when so much has gathered, or when somebody waits for it. */
const GATHER_BYTES = 1024 * 1024;
/** Who brings more than the disk takes has to wait. */
const PENDING_MAX_BYTES = 8 * 1024 * 1024;

export function packPath(folder: string, id: number): string {
  return join(folder, 'packs', `${String(id).padStart(8, '0')}.pack`);
}

/** A file that blocks are appended to, by one process only. What was never synced may be lost, and nobody knows of it. */
export interface Pack {
  readonly id: number;
  readonly size: () => number;
  /** A write has failed: nothing can be appended any more. */
  readonly failed: () => boolean;
  /** Resolves to the offset that the block's bytes will have; they are there after `flush`, and safe after `sync`. */
  readonly append: (id: Buffer, block: readonly Buffer[], length: number) => Promise<number>;
  /** Resolves when all that was appended can be read up to this offset. */
  readonly flush: (upTo: number) => Promise<void>;
  /** Resolves when all that was appended before the call is on disk. */
  readonly sync: () => Promise<void>;
  /** Keeps the file open until as many calls of `release`. Gives the pack itself. */
  readonly hold: () => Pack;
  readonly release: () => void;
  /** Resolves when the file is closed: after all who hold it have released it. */
  readonly close: () => Promise<void>;
}

/** `takeSpace` throws where there is no room for so many bytes more. */
export async function createPack(folder: string, id: number, takeSpace: (bytes: number) => void): Promise<Pack> {
  const path = packPath(folder, id);
  const file = await open(path, 'wx').catch((error: unknown) => {
    throw writeFailed(error, path);
  });
  let size = 0;
  let written = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  let holders = 0;
  let failed = false;
  let onFree = () => {};

  const writePending = (): Promise<void> => {
    const before = writing;
    // A write that failed fails all that come after it: the file has a hole.
    writing = before.then(async () => {
      const parts = pending;
      pending = [];
      pendingBytes = 0;
      if (parts.length === 0) return;
      const bytes = Buffer.concat(parts);
      try {
        takeSpace(bytes.length);
        await writeAll(file, bytes, written);
      } catch (error) {
        failed = true;
        throw writeFailed(error, path);
      }
      written += bytes.length;
    });
    writing.catch(() => undefined);
    return writing;
  };
  const flush = async (upTo: number) => {
    if (written < upTo) await writePending();
  };

  const pack: Pack = {
    id,
    size: () => size,
    failed: () => failed,
    append: async (blockId, block, length) => {
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      blockId.copy(header);
      header.writeUInt32BE(length, 32);
      const offset = size + HEADER_BYTES;
      size = offset + length;
      pending.push(header, ...block);
      pendingBytes += HEADER_BYTES + length;
      if (pendingBytes >= PENDING_MAX_BYTES) await writePending();
      else if (pendingBytes >= GATHER_BYTES) void writePending();
      return offset;
    },
    flush,
    sync: createSync(async () => {
      await flush(size);
      await file.datasync().catch((error: unknown) => {
        failed = true;
        throw writeFailed(error, path);
      });
    }),
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
      try {
        if (!failed) await flush(size);
      } finally {
        await file.close();
      }
    },
  };
  return pack;
}

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EFBIG', 'EDQUOT']);

/** A full disk is told as pachd tells of its object store's. */
function writeFailed(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && FULL.has(error.code))) return error;
  const key = basename(path, '.pack');
  const text = `blob (key "chunk/${key}") (code=Unknown): write ${path}: no space left on device`;
  return new PfsError('unknown', text, { cause: error });
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
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
