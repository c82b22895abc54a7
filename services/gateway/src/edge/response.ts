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
  /** Resolves when uWebSockets has all of it, or when the connection is cut or gone. Never rejects. undefined: it has it all now. */
  send(answer: HttpAnswer, framing: Framing): Promise<void> | undefined;
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

/** A class, since it is made for every request: as many closures would cost more than all else that is done with a small answer. */
class Outgoing implements OutgoingAnswer {
  readonly #res: UwsResponse;
  readonly #limits: EdgeLimits;
  readonly #onFault: (fault: unknown) => void;
  /** Whether the response is no longer ours: ended, or aborted. Then any call of `res` throws. */
  #gone = false;
  #aborted = false;
  #listening = false;
  #waitingBytes = 0;
  #lastProgressMs = 0;
  #writable: ((offset: number) => boolean) | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #wake: (() => void) | undefined;
  #wakeOnAbort: (() => void) | undefined;

  constructor(res: UwsResponse, limits: EdgeLimits, onFault: (fault: unknown) => void) {
    this.#res = res;
    this.#limits = limits;
    this.#onFault = onFault;
  }

  send(answer: HttpAnswer, framing: Framing): Promise<void> | undefined {
    const { body } = answer;
    if (this.#gone) {
      if (body.kind === 'stream') release(body.chunks[Symbol.asyncIterator]());
      return undefined;
    }
    if (isWithoutBody(answer, framing)) {
      if (body.kind === 'stream') release(body.chunks[Symbol.asyncIterator]());
      return this.#tryNow(() => {
        this.#writeHeadOf(answer, framing);
        endEmpty(this.#res, answer, framing);
      });
    }
    if (body.kind === 'stream') return this.#guarded(this.#sendStream(body.chunks, body.lengthBytes, answer, framing));
    const bytes = body.kind === 'bytes' ? body.bytes : undefined;
    if (bytes !== undefined && bytes.length > SMALL_BYTES) {
      return this.#guarded(this.#writeExact(bytes, bytes.length, 0, () => this.#writeHeadOf(answer, framing)));
    }
    return this.#tryNow(() => {
      this.#writeHead(answer);
      if (framing.connection === 'hold') this.#res.writeHeader('Connection', 'close');
      this.#res.end(bytes, framing.connection === 'close');
    });
  }

  bufferedBytes(): number {
    return this.#waitingBytes;
  }

  cut(): void {
    if (!this.#gone) {
      // Calls `onAborted`, and so `abort`.
      this.#res.close();
    }
  }

  abort(): void {
    this.#gone = true;
    this.#aborted = true;
    release(this.#iterator);
    this.#unblock();
    this.#wakeOnAbort?.();
  }

  tick(nowMs: number): void {
    if (this.#wake === undefined || this.#gone) {
      return;
    }
    if (nowMs - this.#lastProgressMs > this.#limits.responseIdleTimeoutMs) {
      this.cut();
    } else {
      restartTimer(this.#res);
    }
  }

  /** Only for an answer that fits into the cork buffer, see `SMALL_BYTES`. */
  #tryNow(write: () => void): undefined {
    try {
      this.#endNow(write);
    } catch (fault) {
      this.#failed(fault);
    }
  }

  async #guarded(sending: Promise<void>): Promise<void> {
    try {
      await sending;
    } catch (fault) {
      this.#failed(fault);
    }
  }

  #failed(fault: unknown): void {
    // What a producer says when its reader is gone is no fault.
    if (!this.#aborted) {
      this.#onFault(fault);
    }
    // Nothing true can follow what was sent already; that the connection breaks is what the client must see.
    release(this.#iterator);
    this.cut();
  }

  #endNow(write: () => void): void {
    this.#gone = true;
    this.#res.cork(write);
  }

  #writeHead(answer: HttpAnswer): void {
    const res = this.#res;
    res.writeStatus(statusLine(answer.status));
    for (const [name, value] of answer.headers) {
      res.writeHeader(name, fieldValue(value));
    }
  }

  #writeHeadOf(answer: HttpAnswer, framing: Framing): void {
    this.#writeHead(answer);
    if (framing.connection !== 'keep') {
      this.#res.writeHeader('Connection', 'close');
    }
  }

  #block(bytes: number, onWritable: (offset: number) => boolean): Promise<void> {
    this.#waitingBytes = bytes;
    this.#lastProgressMs = Date.now();
    this.#writable = onWritable;
    if (!this.#listening) {
      this.#listening = true;
      this.#res.onWritable((offset) => this.#becameWritable(offset));
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #unblock(): void {
    this.#waitingBytes = 0;
    this.#writable = undefined;
    const resolve = this.#wake;
    this.#wake = undefined;
    resolve?.();
  }

  #becameWritable(offset: number): boolean {
    this.#lastProgressMs = Date.now();
    if (this.#writable === undefined || this.#writable(offset)) {
      this.#unblock();
      return true;
    }
    return false;
  }

  #tryEnd(piece: Uint8Array, totalBytes: number, pieceIsLast: boolean): boolean {
    const [ok, done] = this.#res.tryEnd(piece, totalBytes);
    if (done || (ok && pieceIsLast)) {
      this.#gone = true;
    }
    return ok || done;
  }

  /** Hands over one piece of an answer of known length; waits until the client has taken it. */
  async #writeExact(piece: Uint8Array, totalBytes: number, startBytes: number, head?: () => void): Promise<void> {
    const isLast = startBytes + piece.length === totalBytes;
    let taken = false;
    this.#res.cork(() => {
      head?.();
      taken = this.#tryEnd(piece, totalBytes, isLast);
    });
    if (!taken) {
      await this.#block(piece.length, (offset) => {
        const rest = piece.subarray(offset - startBytes);
        this.#waitingBytes = rest.length;
        return rest.length === 0 || this.#tryEnd(rest, totalBytes, isLast);
      });
    }
  }

  async #writeChunked(piece: Uint8Array, head?: () => void): Promise<void> {
    for (let start = 0; start < piece.length && !this.#gone; start += CHUNK_BYTES) {
      let ok = false;
      this.#res.cork(() => {
        if (start === 0) {
          head?.();
        }
        ok = this.#res.write(piece.subarray(start, start + CHUNK_BYTES));
      });
      if (!ok) {
        await this.#block(piece.length - start, () => true);
      }
    }
  }

  /** A producer that does not heed the signal must not keep the request alive. */
  #nextOrAbort(source: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array> | undefined> {
    return new Promise((resolve, reject) => {
      this.#wakeOnAbort = () => resolve(undefined);
      source.next().then(resolve, reject);
    });
  }

  async #sendStream(
    chunks: AsyncIterable<Uint8Array>,
    totalBytes: number | undefined,
    answer: HttpAnswer,
    framing: Framing,
  ): Promise<void> {
    let head: (() => void) | undefined = () => this.#writeHeadOf(answer, framing);
    let sentBytes = 0;
    this.#iterator = chunks[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#nextOrAbort(this.#iterator);
      if (next === undefined || this.#aborted) {
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
        await (totalBytes === undefined
          ? this.#writeChunked(piece, head)
          : this.#writeExact(piece, totalBytes, sentBytes, head));
        sentBytes += piece.length;
        head = undefined;
      }
    }
    if (totalBytes !== undefined && sentBytes < totalBytes) {
      throw new Error('the answer is shorter than it announced');
    }
    if (totalBytes === undefined || totalBytes === 0) {
      this.#endNow(() => {
        head?.();
        this.#res.end();
      });
    }
  }
}

export function outgoingAnswer(
  res: UwsResponse,
  limits: EdgeLimits,
  onFault: (fault: unknown) => void,
): OutgoingAnswer {
  return new Outgoing(res, limits, onFault);
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

/** Of the statuses that were answered so far. */
const STATUS_LINES = new Map<number, string>();

function statusLine(status: number): string {
  const known = STATUS_LINES.get(status);
  if (known !== undefined) return known;
  const line = `${status} ${STATUS_CODES[status] ?? ''}`;
  STATUS_LINES.set(status, line);
  return line;
}

const PLAIN_VALUE = /^[ -~]*$/;

/** A control character in a value could begin a header, or an answer, of its own. */
function fieldValue(value: string): string {
  return PLAIN_VALUE.test(value) ? value : value.replace(/\p{Cc}/gu, ' ');
}

/** Ends a producer early; it may take its time, and what it has to say about it interests nobody any more. */
function release(iterator: AsyncIterator<Uint8Array> | undefined): void {
  iterator?.return?.().catch(() => undefined);
}
