import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { createContentDecoder, MalformedAnswer } from './content-decoder.ts';
import { fromStatus, PachdError } from './errors.ts';
import type { Caller } from './model.ts';
import { resetLater } from './reset.ts';

/**
 * GetFile over HTTP/2 without a gRPC library. pachd sends content in messages of up to 19 MiB, and a library gives a message when
 * it has all of it: a client that does not read costs its gateway some 60 MB. Here the bytes of a message are passed on as they
 * come, and what is not read stays at pachd: a reader costs its window. Sources: gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md),
 * RFC 9113, 6.9.
 */

/** What pachd may send ahead of a reader. */
const STREAM_WINDOW_BYTES = 256 << 10;
/** And ahead of all readers of a connection, whose windows it must hold, or those that do not read would stop those that do. */
const CONNECTION_WINDOW_BYTES = 1 << 30;
/** A pachd that sends nothing for so long is given up. A client that does not read for so long is cut by the edge before. */
const SILENCE_MAX_MS = 120_000;

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS, NGHTTP2_CANCEL } = constants;

export interface ContentCall {
  /** The name and the path of the method, and the request, encoded. */
  readonly name: string;
  readonly path: string;
  readonly request: Uint8Array;
}

export interface ContentChannel {
  /** The bytes of the answer's messages, in order, as they come. Leaving the loop ends the call. @throws PachdError */
  read(call: ContentCall, caller: Caller): AsyncGenerator<Uint8Array>;
  close(): void;
}

export function openContentChannel(target: string, tls: boolean): ContentChannel {
  let session: ClientHttp2Session | undefined;

  /** One connection, made when it is needed and after it broke. */
  const connected = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const made = connect(`${tls ? 'https' : 'http'}://${target}`, {
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
      maxSessionMemory: CONNECTION_WINDOW_BYTES >> 20,
    });
    made.on('connect', () => made.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    // Each call tells its own error; a connection without calls has nobody to tell.
    made.on('error', () => {});
    made.on('goaway', () => made.close());
    session = made;
    return made;
  };

  return {
    async *read({ name, path, request }, caller) {
      const abandoned = () => new PachdError('canceled', name, 'its caller is gone');
      if (caller.signal.aborted) throw abandoned();
      const stream = connected().request(
        {
          [HTTP2_HEADER_METHOD]: 'POST',
          [HTTP2_HEADER_PATH]: path,
          'content-type': 'application/grpc',
          te: 'trailers',
          ...(caller.token === undefined ? {} : { 'authn-token': caller.token }),
        },
        { endStream: false },
      );
      stream.setTimeout(SILENCE_MAX_MS, () => stream.destroy(new Error('nothing came for too long')));
      const outcome = outcomeOf(name, stream);
      const cancel = () =>
        resetLater(() => {
          stream.close(NGHTTP2_CANCEL);
          stream.destroy();
        });
      caller.signal.addEventListener('abort', cancel, { once: true });
      try {
        stream.end(framed(request));
        const decode = createContentDecoder();
        // Left to itself, the loop destroys the stream at once where it is left.
        const chunks: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
        for await (const chunk of chunks) yield* decode(chunk);
        await outcome;
      } catch (error) {
        if (caller.signal.aborted) throw abandoned();
        if (error instanceof MalformedAnswer) throw new PachdError('unexpected', name, error.message, error);
        // What broke the stream is told by the outcome.
        await outcome;
        throw error;
      } finally {
        caller.signal.removeEventListener('abort', cancel);
        if (!stream.closed) cancel();
      }
    },
    close: () => session?.close(),
  };
}

/** Resolves when the call has ended well, and rejects with what pachd, or the connection, said. */
function outcomeOf(name: string, stream: ClientHttp2Stream): Promise<void> {
  const outcome = new Promise<void>((resolve, reject) => {
    const judge = (status: unknown, message: unknown): boolean => {
      if (status === undefined) return false;
      if (Number(status) === 0) resolve();
      else reject(fromStatus(name, Number(status), decodeMessage(message)));
      return true;
    };
    stream.on('response', (headers) => {
      const status = headers[HTTP2_HEADER_STATUS];
      // A call that fails at once answers with headers alone.
      if (judge(headers['grpc-status'], headers['grpc-message'])) return;
      if (Number(status) !== 200) reject(new PachdError('unavailable', name, `answered HTTP ${status}`));
    });
    stream.on('trailers', (trailers) => judge(trailers['grpc-status'], trailers['grpc-message']));
    stream.on('error', (error) => reject(new PachdError('unavailable', name, error.message, error)));
    stream.on('close', () =>
      reject(new PachdError('unavailable', name, `the stream ended before the call (HTTP/2 code ${stream.rstCode})`)),
    );
  });
  // Who left early does not ask for it.
  outcome.catch(() => {});
  return outcome;
}

/** One message, not compressed: a zero, its length in four bytes, and itself. */
function framed(request: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + request.length);
  frame.writeUInt32BE(request.length, 1);
  frame.set(request, 5);
  return frame;
}

/** A status message is percent-encoded where it is not printable ASCII. */
function decodeMessage(message: unknown): string {
  const text = typeof message === 'string' ? message : '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
