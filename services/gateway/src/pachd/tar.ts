/** Reads a tar stream as it comes. Sources: POSIX.1-2017, pax (ustar and extended headers); Go's archive/tar, by which pachd writes. */

const BLOCK_BYTES = 512;
/** An extended header holds a path and a size. */
const EXTENDED_MAX_BYTES = 64 << 10;

/** The stream is no tar as pachd sends it. */
export class MalformedTar extends Error {
  override readonly name = 'MalformedTar';
}

export interface TarEntry {
  /** Begins with a slash; a directory's ends in one. */
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly sizeBytes: number;
  /** The whole content; undefined for one that is larger than what is taken. */
  readonly content: Uint8Array | undefined;
}

/**
 * The entries of a tar stream with their contents, for small files: an entry that is larger than `maxBytes` comes without its content, and
 * is the last one. @throws MalformedTar
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<TarEntry> {
  const input = createInput(chunks);
  let extended: Extended = {};
  for (;;) {
    const block = await input.take(BLOCK_BYTES);
    // Two empty blocks end it.
    if (block === undefined || block.every((byte) => byte === 0)) break;
    const header = readHeader(block);
    const sizeBytes = extended.sizeBytes ?? header.sizeBytes;
    if (header.type === 'x') {
      if (sizeBytes > EXTENDED_MAX_BYTES) throw new MalformedTar(`an extended header of ${sizeBytes} bytes`);
      extended = readExtended(await contentOf(input, sizeBytes));
      continue;
    }
    const path = extended.path ?? header.path;
    extended = {};
    if (header.type === '5') {
      yield { path, kind: 'directory', sizeBytes: 0, content: undefined };
    } else if (header.type !== '0') {
      throw new MalformedTar(`an entry of type ${header.type}`);
    } else if (sizeBytes > maxBytes) {
      yield { path, kind: 'file', sizeBytes, content: undefined };
      return;
    } else {
      yield { path, kind: 'file', sizeBytes, content: await contentOf(input, sizeBytes) };
    }
  }
  // The rest is filling; the call ends after it.
  await input.drain();
}

interface Extended {
  readonly path?: string;
  readonly sizeBytes?: number;
}

interface Input {
  /** The next so many bytes, in a buffer of their own; undefined at the end. @throws MalformedTar when it ends within them */
  take(length: number): Promise<Buffer | undefined>;
  drain(): Promise<void>;
}

function createInput(chunks: AsyncIterable<Uint8Array>): Input {
  const source = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    async take(length) {
      // Not out of Node's pool: a content that is kept would hold on to the headers around it.
      const taken = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        if (rest.length === 0) {
          const next = await source.next();
          if (next.done) {
            if (filled === 0) return undefined;
            throw new MalformedTar('it ends within an entry');
          }
          rest = next.value;
          continue;
        }
        const part = rest.subarray(0, length - filled);
        taken.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
      }
      return taken;
    },
    async drain() {
      rest = new Uint8Array(0);
      while (!(await source.next()).done);
    },
  };
}

async function contentOf(input: Input, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes === 0) return Buffer.alloc(0);
  const content = await input.take(sizeBytes);
  const filling = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
  const filled = filling === 0 || (await input.take(filling)) !== undefined;
  if (content === undefined || !filled) throw new MalformedTar('it ends before a content');
  return content;
}

function readHeader(block: Buffer) {
  const name = textAt(block, 0, 100);
  const prefix = textAt(block, 345, 155);
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    sizeBytes: sizeAt(block, 124, 12),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0),
  };
}

function textAt(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}

/** Octal digits, or with the first bit set a number in base 256 (GNU's way to say what eleven digits cannot). */
function sizeAt(block: Buffer, from: number, length: number): number {
  const first = block[from] ?? 0;
  const size =
    (first & 0x80) === 0
      ? Number.parseInt(textAt(block, from, length).trim() || '0', 8)
      : Number(block.subarray(from + 1, from + length).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n));
  if (!Number.isSafeInteger(size) || size < 0) throw new MalformedTar('an entry without a size');
  return size;
}

/** Records "LENGTH KEY=VALUE\n", where the length counts the whole record. */
function readExtended(records: Buffer): Extended {
  const found: { path?: string; sizeBytes?: number } = {};
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(records.toString('latin1', at, space));
    if (!Number.isSafeInteger(length) || length < 1 || at + length > records.length) {
      throw new MalformedTar('an extended header with a wrong length');
    }
    const record = records.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    const value = record.slice(equals + 1);
    if (record.startsWith('path=')) found.path = value;
    if (record.startsWith('size=')) found.sizeBytes = Number(value);
    at += length;
  }
  if (found.sizeBytes !== undefined && !(Number.isSafeInteger(found.sizeBytes) && found.sizeBytes >= 0)) {
    throw new MalformedTar('an extended header with a wrong size');
  }
  return found;
}
