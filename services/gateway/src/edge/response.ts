import { STATUS_CODES } from 'node:http';
import type { HttpAnswer } from '../s3/http.ts';
import { restartTimer } from './body.ts';
import type { EdgeLimits } from './limits.ts';
import type { UwsResponse } from './uws.ts';

/** What is said about the connection with an answer. */
export interface Framing {
  readonly isHead: boolean;
  /**
   * What becomes of the connection. `close` and `hold` tell the client that this answer is the last one; `close` lets uWebSockets end
   * it as soon as the answer is out, `hold` leaves that to the client, or to the idle timeout.
   */
  readonly connection: 'keep' | 'close' | 'hold';
}

/** An answer on its way out, from the socket's side. */
export interface OutgoingAnswer {
  /** Resolves when uWebSockets has all of it, or when the connection is cut or gone. Never rejects. */
  send(answer: HttpAnswer, framing: Framing): Promise<void>;
  /** Bytes that wait for the client. */
  bufferedBytes(): number;
  /** Breaks the connection off. */
  cut(): void;
  /** The client is gone. */
  abort(): void;
  /** Called every second or so: cuts a client that takes nothing for too long, and keeps uWebSockets from doing it too early. */
  tick(nowMs: number): void;
}

/**
 * Answers of at most this size go out in one call. With their headers they fit into uWebSockets' cork buffer of 16 KiB:
 * what does not fit would be lost by the older build if the socket takes nothing at that moment, except by `tryEnd`.
 */
const SMALL_BYTES = 4096;
/** The same holds for one `write` of a chunked answer. */
const CHUNK_BYTES = 12 * 1024;

export function outgoingAnswer(
  res: UwsResponse,
  limits: EdgeLimits,
  onFault: (fault: unknown) => void,
): OutgoingAnswer {
  /** Whether the response is no longer ours: ended, or aborted. Then any call of `res` throws. */
  let gone = false;
  let aborted = false;
  let listening = false;
  let waitingBytes = 0;
  let lastProgressMs = 0;
  let writable: ((offset: number) => boolean) | undefined;
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let wake: (() => void) | undefined;
  let wakeOnAbort: (() => void) | undefined;

  function block(bytes: number, onWritable: (offset: number) => boolean): Promise<void> {
    waitingBytes = bytes;
    lastProgressMs = Date.now();
    writable = onWritable;
    if (!listening) {
      listening = true;
      res.onWritable(becameWritable);
    }
    return new Promise((resolve) => {
      wake = resolve;
    });
  }

  function unblock(): void {
    waitingBytes = 0;
    writable = undefined;
    const resolve = wake;
    wake = undefined;
    resolve?.();
  }

  function becameWritable(offset: number): boolean {
    lastProgressMs = Date.now();
    if (writable === undefined || writable(offset)) {
      unblock();
      return true;
    }
    return false;
  }

  function abort(): void {
    gone = true;
    aborted = true;
    release(iterator);
    unblock();
    wakeOnAbort?.();
  }

  function cut(): void {
    if (!gone) {
      // Calls `onAborted`, and so `abort`.
      res.close();
    }
  }

  function writeHead(answer: HttpAnswer): void {
    res.writeStatus(statusLine(answer.status));
    for (const [name, value] of answer.headers) {
      res.writeHeader(name, fieldValue(value));
    }
  }

  function writeHeadOf(answer: HttpAnswer, framing: Framing): void {
    writeHead(answer);
    if (framing.connection !== 'keep') {
      res.writeHeader('Connection', 'close');
    }
  }

  /** Only for an answer that fits into the cork buffer, see `SMALL_BYTES`. */
  function endNow(write: () => void): void {
    gone = true;
    res.cork(write);
  }

  function tryEnd(piece: Uint8Array, totalBytes: number, pieceIsLast: boolean): boolean {
    const [ok, done] = res.tryEnd(piece, totalBytes);
    if (done || (ok && pieceIsLast)) {
      gone = true;
    }
    return ok || done;
  }

  /** Hands over one piece of an answer of known length; waits until the client has taken it. */
  async function writeExact(
    piece: Uint8Array,
    totalBytes: number,
    startBytes: number,
    head?: () => void,
  ): Promise<void> {
    const isLast = startBytes + piece.length === totalBytes;
    let taken = false;
    res.cork(() => {
      head?.();
      taken = tryEnd(piece, totalBytes, isLast);
    });
    if (!taken) {
      await block(piece.length, (offset) => {
        const rest = piece.subarray(offset - startBytes);
        waitingBytes = rest.length;
        return rest.length === 0 || tryEnd(rest, totalBytes, isLast);
      });
    }
  }

  async function writeChunked(piece: Uint8Array, head?: () => void): Promise<void> {
    for (let start = 0; start < piece.length && !gone; start += CHUNK_BYTES) {
      let ok = false;
      res.cork(() => {
        if (start === 0) {
          head?.();
        }
        ok = res.write(piece.subarray(start, start + CHUNK_BYTES));
      });
      if (!ok) {
        await block(piece.length - start, () => true);
      }
    }
  }

  /** A producer that does not heed the signal must not keep the request alive. */
  function nextOrAbort(source: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array> | undefined> {
    return new Promise((resolve, reject) => {
      wakeOnAbort = () => resolve(undefined);
      source.next().then(resolve, reject);
    });
  }

  async function sendStream(
    chunks: AsyncIterable<Uint8Array>,
    totalBytes: number | undefined,
    writeHeadOnce: () => void,
  ): Promise<void> {
    let head: (() => void) | undefined = writeHeadOnce;
    let sentBytes = 0;
    iterator = chunks[Symbol.asyncIterator]();
    for (;;) {
      const next = await nextOrAbort(iterator);
      if (next === undefined || aborted) {
        return;
      }
      if (next.done === true) {
        break;
      }
      const piece = next.value;
      if (totalBytes !== undefined && sentBytes + piece.length > totalBytes) {
        throw new Error('the answer is longer than it announced');
      }
      if (piece.length > 0) {
        await (totalBytes === undefined ? writeChunked(piece, head) : writeExact(piece, totalBytes, sentBytes, head));
        sentBytes += piece.length;
        head = undefined;
      }
    }
    if (totalBytes !== undefined && sentBytes < totalBytes) {
      throw new Error('the answer is shorter than it announced');
    }
    if (totalBytes === undefined || totalBytes === 0) {
      endNow(() => {
        head?.();
        res.end();
      });
    }
  }

  return {
    async send(answer, framing) {
      const { body } = answer;
      if (gone) {
        if (body.kind === 'stream') {
          release(body.chunks[Symbol.asyncIterator]());
        }
        return;
      }
      const head = () => writeHeadOf(answer, framing);
      try {
        if (isWithoutBody(answer, framing)) {
          if (body.kind === 'stream') {
            release(body.chunks[Symbol.asyncIterator]());
          }
          endNow(() => {
            head();
            endEmpty(res, answer, framing);
          });
        } else if (body.kind === 'stream') {
          await sendStream(body.chunks, body.lengthBytes, head);
        } else if (body.kind === 'bytes' && body.bytes.length > SMALL_BYTES) {
          await writeExact(body.bytes, body.bytes.length, 0, head);
        } else {
          endNow(() => {
            writeHead(answer);
            if (framing.connection === 'hold') {
              res.writeHeader('Connection', 'close');
            }
            res.end(body.kind === 'bytes' ? body.bytes : undefined, framing.connection === 'close');
          });
        }
      } catch (fault) {
        // What a producer says when its reader is gone is no fault.
        if (!aborted) {
          onFault(fault);
        }
        // Nothing true can follow what was sent already; that the connection breaks is what the client must see.
        release(iterator);
        cut();
      }
    },
    bufferedBytes: () => waitingBytes,
    cut,
    abort,
    tick(nowMs) {
      if (wake === undefined || gone) {
        return;
      }
      if (nowMs - lastProgressMs > limits.responseIdleTimeoutMs) {
        cut();
      } else {
        restartTimer(res);
      }
    },
  };
}

function isWithoutBody({ status }: HttpAnswer, { isHead }: Framing): boolean {
  return isHead || status === 204 || status === 304;
}

/**
 * Ends an answer that has no body, though it may tell the length of one. That is written as a header of our own: the older build
 * never finishes a response whose length was handed to `endWithoutBody`.
 */
function endEmpty(res: UwsResponse, { body, status }: HttpAnswer, { isHead }: Framing): void {
  const lengthBytes = body.kind === 'bytes' ? body.bytes.length : body.lengthBytes;
  if (isHead && status !== 204 && status !== 304 && lengthBytes !== undefined) {
    res.writeHeader('Content-Length', String(lengthBytes));
  }
  res.endWithoutBody();
}

function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`;
}

/** A control character in a value could begin a header, or an answer, of its own. */
function fieldValue(value: string): string {
  return /\p{Cc}/u.test(value) ? value.replace(/\p{Cc}/gu, ' ') : value;
}

/** Ends a producer early; it may take its time, and what it has to say about it interests nobody any more. */
function release(iterator: AsyncIterator<Uint8Array> | undefined): void {
  iterator?.return?.().catch(() => undefined);
}
