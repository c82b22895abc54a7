import { type Block, createBlockWriter } from '../content/blocks.ts';
import { BLOCK_BYTES, fileHash } from '../content/hash.ts';
import type { Packs } from '../content/packs.ts';
import type { Ref } from '../content/ref.ts';
import type { Db } from '../store/db.ts';
import { checkPath, checkPathLength, cleanPath, dirPath, isDirPath } from '../store/paths.ts';
import { type Content, DEFAULT_DATUM, type Entry } from './entry.ts';
import { type PreparedLayer, prepareLayer } from './layers.ts';

/** Bytes of unfinished blocks that a stream may hold in memory. */
const HELD_MAX_BYTES = 16 * 1024 * 1024;
/** Entries that a stream may hold in memory, and the bytes of their names; more are written as a layer, and the stream goes on above it. */
const ENTRIES_MAX = 20_000;
const NAMES_MAX_BYTES = 8 * 1024 * 1024;

/** What a stream has made: layers that nobody refers to yet. */
export interface PreparedFiles {
  /** Makes the files exist, and gives their layers, lowest first. Only inside a transaction, whose caller must hold them. */
  readonly commit: () => readonly number[];
}

/** Collects the changes of one stream, in order, and writes them. */
export interface FileWriter {
  /** Appends to the file. */
  readonly add: (path: string, datum: string, bytes: Buffer) => Promise<void>;
  /** A path that ends in a slash removes what is below it: in this stream, and in `below` if it is given. */
  readonly remove: (path: string, datum: string, below: (prefix: string) => AsyncIterable<string>) => Promise<void>;
  readonly copy: (path: string, datum: string, content: Content, append: boolean) => Promise<void>;
  readonly finish: () => Promise<PreparedFiles>;
  /** Lets go of everything that nobody has come to refer to; always to be called at the end. */
  readonly close: () => Promise<void>;
}

/** Bytes that come in pieces: whole blocks are stored at once, the rest is held until the next piece or the end. */
interface Growing {
  readonly kind: 'growing';
  readonly blocks: Block[];
  sizeBytes: number;
  held: Buffer[];
  heldBytes: number;
}

type Part = Growing | { readonly kind: 'copied'; readonly content: Content };

interface Change {
  readonly path: string;
  readonly datum: string;
  deletes: boolean;
  parts: Part[];
}

export function createFileWriter(db: Db, packs: Packs, owner: string): FileWriter {
  const blocks = createBlockWriter(db, packs);
  const layers: PreparedLayer[] = [];
  let changes = new Map<string, Change>();
  let heldBytes = 0;
  let namesBytes = 0;

  const change = (path: string, datum: string): Change => {
    const key = `${path}\0${datum}`;
    const found = changes.get(key);
    if (found) return found;
    const made: Change = { path, datum, deletes: false, parts: [] };
    changes.set(key, made);
    namesBytes += key.length;
    return made;
  };

  const flush = async (growing: Growing) => {
    if (growing.heldBytes === 0) return;
    const { held, heldBytes: length } = growing;
    growing.held = [];
    growing.heldBytes = 0;
    heldBytes -= length;
    growing.blocks.push(await blocks.put(held, length));
  };

  const flushAll = async () => {
    for (const { parts } of changes.values()) {
      for (const part of parts) if (part.kind === 'growing') await flush(part);
    }
  };

  const append = async (growing: Growing, bytes: Buffer) => {
    const last = growing.blocks.at(-1);
    if (bytes.length > 0 && growing.heldBytes === 0 && last && last.ref.length < BLOCK_BYTES) {
      // A block that was stored unfinished for want of memory goes on here.
      growing.blocks.pop();
      growing.held = [await packs.read(last.ref)];
      growing.heldBytes = last.ref.length;
      heldBytes += last.ref.length;
    }
    growing.sizeBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + BLOCK_BYTES - growing.heldBytes);
      growing.held.push(part);
      growing.heldBytes += part.length;
      heldBytes += part.length;
      at += part.length;
      if (growing.heldBytes === BLOCK_BYTES) await flush(growing);
    }
  };

  const dropParts = (parts: readonly Part[]) => {
    for (const part of parts) if (part.kind === 'growing') heldBytes -= part.heldBytes;
  };

  const removeFile = (path: string, datum: string) => {
    const target = change(path, datum);
    dropParts(target.parts);
    target.parts = [];
    target.deletes = true;
  };

  const serialize = async () => {
    await flushAll();
    const entries = [...changes.values()].map(toEntry);
    changes = new Map();
    namesBytes = 0;
    await blocks.sync();
    if (entries.length > 0) layers.push(await prepareLayer(db, owner, entries));
  };

  const bound = async () => {
    if (heldBytes > HELD_MAX_BYTES) await flushAll();
    if (changes.size >= ENTRIES_MAX || namesBytes >= NAMES_MAX_BYTES) await serialize();
  };

  return {
    add: async (path, datum, bytes) => {
      checkPath(path);
      checkPathLength(path, datum);
      const { parts } = change(cleanPath(path), datum || DEFAULT_DATUM);
      let last = parts.at(-1);
      if (last?.kind !== 'growing') {
        last = { kind: 'growing', blocks: [], sizeBytes: 0, held: [], heldBytes: 0 };
        parts.push(last);
      }
      await append(last, bytes);
      await bound();
    },
    remove: async (path, datum, below) => {
      checkPath(path);
      checkPathLength(path, datum);
      const writer = datum || DEFAULT_DATUM;
      if (!isDirPath(path)) {
        removeFile(cleanPath(path), writer);
        return bound();
      }
      const prefix = dirPath(path);
      for (const [key, { path: written, parts, deletes }] of changes) {
        if (!written.startsWith(prefix)) continue;
        dropParts(parts);
        if (deletes) removeFile(written, changes.get(key)?.datum ?? writer);
        else changes.delete(key);
      }
      for await (const found of below(prefix)) removeFile(found, writer);
      return bound();
    },
    copy: async (path, datum, content, appends) => {
      const writer = datum || DEFAULT_DATUM;
      checkPathLength(path, writer);
      if (!appends) removeFile(path, writer);
      change(path, writer).parts.push({ kind: 'copied', content });
      await bound();
    },
    finish: async () => {
      await serialize();
      await blocks.close();
      return {
        commit: () => {
          blocks.publish();
          return layers.map((layer) => layer.commit());
        },
      };
    },
    close: async () => {
      await blocks.close();
      for (const layer of layers.splice(0)) await layer.abandon();
    },
  };
}

function toEntry({ path, datum, deletes, parts }: Change): Entry {
  return { path, datum, deletes, contents: parts.map(toContent) };
}

function toContent(part: Part): Content {
  if (part.kind === 'copied') return part.content;
  const refs: Ref[] = part.blocks.map(({ ref }) => ref);
  return { sizeBytes: part.sizeBytes, hash: fileHash(part.blocks.map(({ id }) => id)), refs };
}
