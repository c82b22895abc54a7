import { blake2b, createFileHasher } from '../content/hash.ts';
import type { Packs } from '../content/packs.ts';
import { encodeRef } from '../content/ref.ts';
import type { Db } from '../store/db.ts';
import { keeping } from '../store/disk.ts';
import type { Content } from './entry.ts';

/** At most so many bytes of a stream are read ahead of what was asked for: a hundred streams that nobody reads hold as many times that. */
const READ_AHEAD_BYTES = 1_000_000;

/** The bytes from an offset on, in pieces of at most a block, reading a little ahead. */
export async function* readContent(packs: Packs, content: Content, offsetBytes: number): AsyncGenerator<Buffer> {
  let skip = offsetBytes;
  const pending: { readonly bytes: number; readonly read: Promise<Buffer> }[] = [];
  let ahead = 0;
  for (const ref of content.refs) {
    if (skip >= ref.length) {
      skip -= ref.length;
      continue;
    }
    const part = { pack: ref.pack, offset: ref.offset + skip, length: ref.length - skip };
    skip = 0;
    while (ahead > 0 && ahead + part.length > READ_AHEAD_BYTES) {
      const first = pending.shift();
      if (!first) break;
      ahead -= first.bytes;
      yield await first.read;
    }
    const read = packs.read(part);
    // Its failure is thrown where it is awaited; a reader that stops early must not leave it unhandled.
    read.catch(() => undefined);
    pending.push({ bytes: part.length, read });
    ahead += part.length;
  }
  for (const { read } of pending) yield await read;
}

/** The hash of a content. What has to be read for it is remembered, for this content wherever it stands. */
export async function hashOf(db: Db, packs: Packs, content: Content): Promise<Buffer> {
  if (content.hash) return content.hash;
  const key = blake2b(...content.refs.map(encodeRef));
  const known = db.hashes.get(key);
  if (known) return known;
  const hasher = createFileHasher();
  for await (const piece of readContent(packs, content, 0)) hasher.update(piece);
  const hash = hasher.digest();
  await keeping(db.folder, db.hashes.put(key, hash));
  return hash;
}
