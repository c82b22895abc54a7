import { performance } from 'node:perf_hooks';
import { type Begun, CUT_SHORT, type Observer, type Outcome, type Target } from './outcome.ts';
import type { RequestSpan } from './trace.ts';

/** What is known of a request only on the way. */
export interface Account {
  operation: string;
  target: Target;
  failed(code: string, cause: unknown): void;
  /** Counts what goes out, and tells the outcome when the last byte of it has gone, or the client. */
  settle<A extends Answer>(answer: A, isClientGone: () => boolean): A;
}

interface Answer {
  readonly status: number;
  readonly body:
    | { readonly kind: 'empty' }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'stream'; readonly lengthBytes: number | undefined; readonly chunks: AsyncIterable<Uint8Array> };
}

const CLIENT_GONE = 'ClientDisconnected';

/** Follows a request to its end, and tells those who want to know, once. */
export function openAccount(begun: Begun, span: RequestSpan, observers: readonly Observer[]): Account {
  return new RequestAccount(begun, span, observers);
}

class RequestAccount implements Account {
  operation = 'Unknown';
  target: Target = {};
  readonly #begun: Begun;
  readonly #span: RequestSpan;
  readonly #observers: readonly Observer[];
  readonly #beganMs = performance.now();
  #code: string | undefined;
  #cause: unknown;

  constructor(begun: Begun, span: RequestSpan, observers: readonly Observer[]) {
    this.#begun = begun;
    this.#span = span;
    this.#observers = observers;
  }

  failed(code: string, cause: unknown): void {
    this.#code = code;
    this.#cause = cause;
  }

  settle<A extends Answer>(answer: A, isClientGone: () => boolean): A {
    const { body, status } = answer;
    const answeredMs = performance.now();
    if (body.kind !== 'stream') {
      this.#tell(status, body.kind === 'bytes' ? body.bytes.length : 0, answeredMs);
      return answer;
    }
    const chunks = this.#counted(this.#span.around(body.chunks), status, answeredMs, isClientGone);
    const neverBegun = () => {
      this.#code ??= CLIENT_GONE;
      this.#tell(status, 0, answeredMs);
    };
    return { ...answer, body: { ...body, chunks: endedBefore(chunks, neverBegun) } };
  }

  async *#counted(
    chunks: AsyncIterable<Uint8Array>,
    status: number,
    answeredMs: number,
    isClientGone: () => boolean,
  ): AsyncGenerator<Uint8Array> {
    let bytesOut = 0;
    let ended = false;
    try {
      for await (const chunk of chunks) {
        bytesOut += chunk.length;
        yield chunk;
      }
      ended = true;
    } catch (error) {
      if (!isClientGone()) this.failed(CUT_SHORT, error);
      throw error;
    } finally {
      if (!ended) this.#code ??= CLIENT_GONE;
      this.#tell(status, bytesOut, answeredMs);
    }
  }

  #tell(status: number, bytesOut: number, answeredMs: number): void {
    const begun = this.#begun;
    // Field by field: to spread `begun` into it would take longer than all else here together.
    const outcome: Outcome = {
      requestId: begun.requestId,
      sentId: begun.sentId,
      method: begun.method,
      rawPath: begun.rawPath,
      bytesIn: begun.bytesIn,
      operation: this.operation,
      target: this.target,
      traceId: this.#span.traceId,
      status,
      code: this.#code,
      cause: this.#cause,
      bytesOut,
      answerMs: answeredMs - this.#beganMs,
      totalMs: performance.now() - this.#beganMs,
    };
    for (const observe of this.#observers) observe(outcome);
    this.#span.end(outcome);
  }
}

/** A generator that is ended before it began runs nothing of its own. */
function endedBefore<T>(generator: AsyncGenerator<T, void>, neverBegun: () => void): AsyncIterable<T> {
  let begun = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        begun = true;
        return generator.next();
      },
      return() {
        if (!begun) neverBegun();
        begun = true;
        return generator.return();
      },
    }),
  };
}
