import { createBLAKE2b } from 'hash-wasm';

/** A file is hashed, and kept, in blocks of this size; the last one is shorter. */
export const BLOCK_BYTES = 1_000_000;

const hasher = await createBLAKE2b(256);

/** BLAKE2b-256: 32 bytes. */
export function blake2b(...parts: readonly Uint8Array[]): Buffer {
  hasher.init();
  for (const part of parts) hasher.update(part);
  return Buffer.from(hasher.digest('binary'));
}

/**
 * The hash that PFS gives a file: of the hashes of its blocks. So that of a file of one block is BLAKE2b-256 of BLAKE2b-256 of its content,
 * and that of an empty one BLAKE2b-256 of nothing, as at pachd; larger ones are cut elsewhere there.
 */
export function fileHash(blockIds: readonly Uint8Array[]): Buffer {
  return blake2b(...blockIds);
}

/** Hashes content that comes in pieces of any size. */
export function createFileHasher(): { readonly update: (piece: Buffer) => void; readonly digest: () => Buffer } {
  const ids: Buffer[] = [];
  let pieces: Buffer[] = [];
  let held = 0;
  const flush = () => {
    if (held > 0) ids.push(blake2b(...pieces));
    pieces = [];
    held = 0;
  };
  return {
    update: (piece) => {
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + BLOCK_BYTES - held);
        pieces.push(part);
        held += part.length;
        at += part.length;
        if (held === BLOCK_BYTES) flush();
      }
    },
    digest: () => {
      flush();
      return fileHash(ids);
    },
  };
}
