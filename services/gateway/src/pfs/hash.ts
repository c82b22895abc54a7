import { createBLAKE2b } from 'hash-wasm';

/** pachd cuts content into chunks from one million bytes on; up to there the hash follows from the bytes alone. */
export const HASHABLE_MAX_BYTES = 1_000_000;

// One hasher serves all: a hash is computed without a wait in between.
const hasher = await createBLAKE2b(256);

/** The hash that pachd gives a file of this content. @param content at most HASHABLE_MAX_BYTES */
export function pfsHash(content: Uint8Array): Uint8Array {
  if (content.length > HASHABLE_MAX_BYTES)
    throw new RangeError('the hash of a large file is not a function that tusk knows');
  const inner = blake2b(content);
  return content.length === 0 ? inner : blake2b(inner);
}

function blake2b(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary');
}
