import { performance } from 'node:perf_hooks';
import type { Log } from './log.ts';

/** What a request's line is made of that is known only on the way. */
interface AccessEntry {
  operation: string;
  failed(code: string, cause: unknown): void;
  /** Counts what goes out, and writes the line when the last byte of it has gone, or the client. */
  account<A extends Answer>(answer: A, isClientGone: () => boolean): A;
}

interface Answer {
  readonly status: number;
  readonly body:
    | { readonly kind: 'empty' }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'stream'; readonly lengthBytes: number | undefined; readonly chunks: AsyncIterable<Uint8Array> };
}

export interface AccessLog {
  begin(request: Begun): AccessEntry;
}

interface Begun {
  readonly requestId: string;
  /** What the request was called before it came here (X-Request-Id); undefined: nothing that may stand in a log. */
  readonly sentId: string | undefined;
  readonly method: string;
  /** Without the query, in which credentials may stand. */
  readonly rawPath: string;
}

/** One line a request; a fault of tusk or of pachd is written with its cause even where the lines are switched off. */
export function createAccessLog(log: Log, enabled: boolean): AccessLog {
  return {
    begin({ requestId, sentId, method, rawPath }) {
      const beganMs = performance.now();
      let code: string | undefined;
      let cause: unknown;

      const write = (status: number, bytesOut: number) => {
        const fault = status >= 500 && status !== 501;
        if (!enabled && !fault) return;
        const line = {
          requestId,
          sentId,
          operation: entry.operation,
          method,
          path: rawPath,
          status,
          code,
          bytesOut,
          ms: Math.round((performance.now() - beganMs) * 10) / 10,
          cause: fault ? cause : undefined,
        };
        if (fault) log.warn(line, 'request');
        else log.info(line, 'request');
      };

      const entry: AccessEntry = {
        operation: 'Unknown',
        failed(failure, why) {
          code = failure;
          cause = why;
        },
        account(answer, isClientGone) {
          const { body, status } = answer;
          if (body.kind !== 'stream') {
            write(status, body.kind === 'bytes' ? body.bytes.length : 0);
            return answer;
          }
          return { ...answer, body: { ...body, chunks: counted(body.chunks, status, isClientGone) } };
        },
      };

      async function* counted(
        chunks: AsyncIterable<Uint8Array>,
        status: number,
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
            code = 'CutShort';
            log.warn({ requestId, cause: error }, 'an answer broke off');
          }
          throw error;
        } finally {
          if (!ended) code ??= 'ClientDisconnected';
          write(status, bytesOut);
        }
      }

      return entry;
    },
  };
}
