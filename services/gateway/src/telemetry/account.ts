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
  const beganMs = performance.now();
  let code: string | undefined;
  let cause: unknown;

  const tell = (status: number, bytesOut: number, answeredMs: number): void => {
    // Field by field: to spread `begun` into it would take longer than all else here together.
    const outcome: Outcome = {
      requestId: begun.requestId,
      sentId: begun.sentId,
      method: begun.method,
      rawPath: begun.rawPath,
      bytesIn: begun.bytesIn,
      operation: account.operation,
      target: account.target,
      traceId: span.traceId,
      status,
      code,
      cause,
      bytesOut,
      answerMs: answeredMs - beganMs,
      totalMs: performance.now() - beganMs,
    };
    for (const observe of observers) observe(outcome);
    span.end(outcome);
  };

  const account: Account = {
    operation: 'Unknown',
    target: {},
    failed(failure, why) {
      code = failure;
      cause = why;
    },
    settle(answer, isClientGone) {
      const { body, status } = answer;
      const answeredMs = performance.now();
      if (body.kind !== 'stream') {
        tell(status, body.kind === 'bytes' ? body.bytes.length : 0, answeredMs);
        return answer;
      }
      const chunks = counted(span.around(body.chunks), status, answeredMs, isClientGone);
      const neverBegun = () => {
        code ??= CLIENT_GONE;
        tell(status, 0, answeredMs);
      };
      return { ...answer, body: { ...body, chunks: endedBefore(chunks, neverBegun) } };
    },
  };

  async function* counted(
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
      if (!isClientGone()) {
        code = CUT_SHORT;
        cause = error;
      }
      throw error;
    } finally {
      if (!ended) code ??= CLIENT_GONE;
      tell(status, bytesOut, answeredMs);
    }
  }

  return account;
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
