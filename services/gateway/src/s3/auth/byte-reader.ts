import { S3Error } from '../errors.ts';

/** Reads a stream of bytes by lines and by counts, without copying: pieces are views of what the source gave. */
export interface ByteReader {
  /**
   * The next line without its end (LF or CRLF).
   * @throws S3Error InvalidRequest if it is longer than `maxBytes`, IncompleteBody if the source ends in it.
   */
  line(maxBytes: number): Promise<string>;
  /**
   * The next `count` bytes, in pieces, as they come.
   * @throws S3Error IncompleteBody if the source ends before.
   */
  take(count: number): AsyncGenerator<Uint8Array, void, undefined>;
  /** Whether there is nothing more. */
  ended(): Promise<boolean>;
  /** Lets go of the source. */
  close(): Promise<void>;
}

const LF = 0x0a;

export function readBytes(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let unread: Uint8Array = new Uint8Array(0);

  /** Sees to it that something is unread; false at the end of the source. */
  async function fill(): Promise<boolean> {
    while (unread.length === 0) {
      const next = await iterator.next();
      if (next.done === true) {
        return false;
      }
      unread = next.value;
    }
    return true;
  }

  return {
    async line(maxBytes) {
      let text = '';
      for (;;) {
        if (!(await fill())) {
          throw new S3Error('IncompleteBody');
        }
        const end = unread.indexOf(LF);
        const part = end === -1 ? unread : unread.subarray(0, end);
        if (text.length + part.length > maxBytes) {
          throw new S3Error('InvalidRequest', { message: 'A line of the chunked body is too long.' });
        }
        text += Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1');
        unread = unread.subarray(end === -1 ? unread.length : end + 1);
        if (end !== -1) {
          return text.endsWith('\r') ? text.slice(0, -1) : text;
        }
      }
    },
    async *take(count) {
      let left = count;
      while (left > 0) {
        if (!(await fill())) {
          throw new S3Error('IncompleteBody');
        }
        const piece = unread.subarray(0, left);
        unread = unread.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
    },
    async ended() {
      return !(await fill());
    },
    async close() {
      await iterator.return?.();
    },
  };
}
