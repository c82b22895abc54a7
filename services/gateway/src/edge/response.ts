import { STATUS_CODES } from 'node:http';
import type { HttpAnswer } from '../s3/http.ts';
import { restartTimer } from './body.ts';
import type { EdgeLimits } from './limits.ts';
import type { UwsResponse } from './uws.ts';

/** What is said about the connection with an answer. */
export interface Framing {
  readonly isHead: boolean;
  /** Whether the answer is the last of its connection, and says so. */
  readonly close: boolean;
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
  let gone = false;
  let waitingBytes = 0;
  let lastProgressMs = 0;
  let writable: ((offset: number) => boolean) | undefined;
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let wake: (() => void) | undefined;

  function block(bytes: number, onWritable: (offset: number) => boolean): Promise<void> {
    waitingBytes = bytes;
    lastProgressMs = Date.now();
    writable = onWritable;
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

  function abort(): void {
    if (!gone) {
      gone = true;
      release(iterator);
      unblock();
    }
  }

  function cut(): void {
    if (!gone) {
      // Calls `onAborted`, and so `abort`.
      res.close();
    }
  }

  function writeHead(answer: HttpAnswer, framing: Framing): void {
    res.writeStatus(statusLine(answer.status));
    for (const [name, value] of answer.headers) {
      res.writeHeader(name, fieldValue(value));
    }
    if (framing.close) {
      res.writeHeader('Connection', 'close');
    }
  }

  /** Hands over one piece of an answer of known length; waits until the client has taken it. */
  async function writeExact(
    piece: Uint8Array,
    totalBytes: number,
    startBytes: number,
    head?: () => void,
  ): Promise<void> {
    let done = false;
    res.cork(() => {
      head?.();
      done = res.tryEnd(piece, totalBytes).some(Boolean);
    });
    if (!done) {
      await block(piece.length, (offset) => {
        const rest = piece.subarray(offset - startBytes);
        waitingBytes = rest.length;
        return res.tryEnd(rest, totalBytes).some(Boolean);
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

  async function sendStream(
    chunks: AsyncIterable<Uint8Array>,
    totalBytes: number | undefined,
    writeHeadOnce: () => void,
  ): Promise<void> {
    let head: (() => void) | undefined = writeHeadOnce;
    let sentBytes = 0;
    iterator = chunks[Symbol.asyncIterator]();
    for (;;) {
      const next = await iterator.next();
      if (gone) {
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
      if (gone) {
        return;
      }
    }
    if (totalBytes !== undefined && sentBytes < totalBytes) {
      throw new Error('the answer is shorter than it announced');
    }
    if (totalBytes === undefined || totalBytes === 0) {
      res.cork(() => {
        head?.();
        res.end();
      });
    }
  }

  res.onWritable((offset) => {
    lastProgressMs = Date.now();
    if (writable === undefined || writable(offset)) {
      unblock();
      return true;
    }
    return false;
  });

  return {
    async send(answer, framing) {
      if (gone) {
        return;
      }
      const { body, status } = answer;
      const head = () => writeHead(answer, framing);
      try {
        if (framing.isHead || status === 204 || status === 304 || body.kind === 'empty') {
          if (body.kind === 'stream') {
            release(body.chunks[Symbol.asyncIterator]());
          }
          res.cork(() => {
            head();
            endEmpty(res, answer, framing);
          });
        } else if (body.kind === 'stream') {
          await sendStream(body.chunks, body.lengthBytes, head);
        } else if (body.bytes.length <= SMALL_BYTES) {
          res.cork(() => {
            head();
            res.end(body.bytes);
          });
        } else {
          await writeExact(body.bytes, body.bytes.length, 0, head);
        }
      } catch (fault) {
        onFault(fault);
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

/**
 * Ends an answer without a body. A length that differs from what is sent is written as a header of our own: the older build never
 * finishes a response whose length was handed to `endWithoutBody`.
 */
function endEmpty(res: UwsResponse, answer: HttpAnswer, framing: Framing): void {
  const { body, status } = answer;
  if (status === 204 || status === 304) {
    res.endWithoutBody();
  } else if (!framing.isHead) {
    res.end();
  } else {
    const lengthBytes = body.kind === 'bytes' ? body.bytes.length : body.lengthBytes;
    if (lengthBytes !== undefined) {
      res.writeHeader('Content-Length', String(lengthBytes));
    }
    res.endWithoutBody();
  }
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
