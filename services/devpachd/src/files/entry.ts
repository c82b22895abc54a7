import type { Ref } from '../content/ref.ts';

/** One content of a path in a layer. */
export interface Content {
  readonly sizeBytes: number;
  /** Unknown for what was joined from pieces that do not end at a block's end, until somebody asks. */
  readonly hash: Buffer | undefined;
  readonly refs: readonly Ref[];
}

/**
 * What a layer says of one path and datum: whether that of the layers below is deleted, and what is added. Two contents of one path and datum
 * are a defect that is found when the commit is finished (`duplicate path output by different datums`), as at pachd.
 */
export interface Entry {
  readonly path: string;
  readonly datum: string;
  readonly deletes: boolean;
  readonly contents: readonly Content[];
}

export const DEFAULT_DATUM = 'default';

/** Orders entries by the bytes of their paths, then of their datums. */
export function entryOrder(path: string, datum: string): string {
  return Buffer.from(`${path}\0${datum}`, 'utf8').toString('latin1');
}

function splitOrder(order: string): { readonly path: string; readonly datum: string } {
  const text = Buffer.from(order, 'latin1').toString('utf8');
  const at = text.indexOf('\0');
  return { path: text.slice(0, at), datum: text.slice(at + 1) };
}

/** The entry of two layers, the second above the first: contents are appended, unless the upper deletes first. */
export function stackEntries(lower: Entry, upper: Entry): Entry {
  if (upper.deletes) return upper;
  const [first, ...rest] = upper.contents;
  if (!first) return lower;
  const [below, ...others] = lower.contents;
  const joined = below ? joinContents(below, first) : first;
  return { ...lower, contents: [joined, ...others, ...rest] };
}

function joinContents(first: Content, second: Content): Content {
  if (second.sizeBytes === 0) return first;
  if (first.sizeBytes === 0) return second;
  return {
    sizeBytes: first.sizeBytes + second.sizeBytes,
    hash: undefined,
    refs: [...first.refs, ...second.refs],
  };
}

export function sizeOf(entry: Entry | undefined): number {
  return entry?.contents.reduce((sum, content) => sum + content.sizeBytes, 0) ?? 0;
}

const DELETES = 1;
const HASH_BYTES = 32;
const NO_HASH = Buffer.alloc(0);
/** Size (6), whether there is a hash (1), number of refs (4). */
const CONTENT_HEAD_BYTES = 11;
const REF_BYTES = 14;

/** Entry to bytes; the path and the datum stand in the key. */
export function encodeEntry(entry: Entry): Buffer {
  const bytes = entry.contents.reduce(
    (sum, content) => sum + CONTENT_HEAD_BYTES + (content.hash ? HASH_BYTES : 0) + content.refs.length * REF_BYTES,
    1,
  );
  const out = Buffer.allocUnsafe(bytes);
  out.writeUInt8(entry.deletes ? DELETES : 0, 0);
  let at = 1;
  for (const content of entry.contents) {
    out.writeUIntBE(content.sizeBytes, at, 6);
    out.writeUInt8(content.hash ? 1 : 0, at + 6);
    out.writeUInt32BE(content.refs.length, at + 7);
    at += CONTENT_HEAD_BYTES;
    at += (content.hash ?? NO_HASH).copy(out, at);
    for (const ref of content.refs) {
      out.writeUInt32BE(ref.pack, at);
      out.writeUIntBE(ref.offset, at + 4, 6);
      out.writeUInt32BE(ref.length, at + 10);
      at += REF_BYTES;
    }
  }
  return out;
}

export function decodeEntry(order: string, bytes: Buffer): Entry {
  const contents: Content[] = [];
  for (let at = 1; at < bytes.length; ) {
    const sizeBytes = bytes.readUIntBE(at, 6);
    const hasHash = bytes[at + 6] === 1;
    const count = bytes.readUInt32BE(at + 7);
    at += CONTENT_HEAD_BYTES;
    const hash = hasHash ? bytes.subarray(at, at + HASH_BYTES) : undefined;
    if (hasHash) at += HASH_BYTES;
    const refs: Ref[] = [];
    for (let i = 0; i < count; i++, at += REF_BYTES) {
      refs.push({
        pack: bytes.readUInt32BE(at),
        offset: bytes.readUIntBE(at + 4, 6),
        length: bytes.readUInt32BE(at + 10),
      });
    }
    contents.push({ sizeBytes, hash, refs });
  }
  return { ...splitOrder(order), deletes: bytes[0] === DELETES, contents };
}
