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

/** How long a connection may take to stand. */
const CONNECT_MAX_MS = 1_000;

const { HTTP2_HEADER_AUTHORITY, HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS, NGHTTP2_CANCEL } =
  constants;

/** Where to connect (IP:PORT), what is asked for there, and the name that a certificate must be for. */
interface Peer {
  readonly target: string;
  readonly authority: string;
  readonly serverName: string | undefined;
  readonly tls: boolean;
}

export interface ContentCall {
  /** The path of the method, and the request, encoded. */
  readonly path: string;
  readonly request: Uint8Array;
}

/** Who reads, as what, and until when (milliseconds since 1970). */
interface Reader extends Caller {
  readonly name: string;
  readonly deadlineMs: number;
  /** The trace that it belongs to, as header fields. */
  readonly trace?: Readonly<Record<string, string>>;
}

export interface ContentChannel {
  /** The bytes of the answer's messages, in order, as they come. Leaving the loop ends the call. @throws PachdError */
  read(call: ContentCall, reader: Reader): AsyncGenerator<Uint8Array>;
  /** Takes no more calls, and lets those under way end. */
  close(): void;
}

export function openContentChannel({ target, authority, serverName, tls }: Peer): ContentChannel {
  let connecting: Promise<ClientHttp2Session> | undefined;
  let current: ClientHttp2Session | undefined;
  let closed = false;

  /** One connection, made when it is needed and after it broke. Nothing is sent before it stands: what fails here was never sent. */
  const connected = (): Promise<ClientHttp2Session> => {
    if (current !== undefined && !current.closed && !current.destroyed) return Promise.resolve(current);
    connecting ??= new Promise<ClientHttp2Session>((resolve, reject) => {
      const made = connect(`${tls ? 'https' : 'http'}://${target}`, {
        settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
        maxSessionMemory: CONNECTION_WINDOW_BYTES >> 20,
        ...(serverName === undefined ? {} : { servername: serverName }),
      });
      const timer = setTimeout(() => made.destroy(new Error('no connection in time')), CONNECT_MAX_MS);
      made.on('connect', () => {
        clearTimeout(timer);
        made.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
        current = made;
        if (closed) made.close();
        resolve(made);
      });
      // Each call tells its own error; a connection without calls has nobody to tell.
      made.on('error', reject);
      made.on('close', () => {
        clearTimeout(timer);
        reject(new Error('the connection ended before it stood'));
      });
      made.on('goaway', () => made.close());
    }).finally(() => {
      connecting = undefined;
    });
    return connecting;
  };

  const open = async ({ name, token, deadlineMs, trace }: Reader, path: string): Promise<ClientHttp2Stream> => {
    try {
      if (closed) throw new Error('the channel is closed');
      const session = await connected();
      return session.request(
        {
          [HTTP2_HEADER_AUTHORITY]: authority,
          [HTTP2_HEADER_METHOD]: 'POST',
          [HTTP2_HEADER_PATH]: path,
          'content-type': 'application/grpc',
          te: 'trailers',
          ...(Number.isFinite(deadlineMs) ? { 'grpc-timeout': timeoutOf(deadlineMs - Date.now()) } : {}),
          ...(token === undefined ? {} : { 'authn-token': token }),
          ...trace,
        },
        { endStream: false },
      );
    } catch (error) {
      throw new PachdError('unavailable', name, String(error), error, 'none');
    }
  };

  return {
    async *read({ path, request }, reader) {
      const { name, signal, deadlineMs } = reader;
      const abandoned = () => new PachdError('canceled', name, 'its caller is gone');
      if (signal.aborted) throw abandoned();
      const stream = await open(reader, path);
      stream.setTimeout(SILENCE_MAX_MS, () => stream.destroy(new Error('nothing came for too long')));
      const outcome = outcomeOf(name, stream);
      const cancel = () =>
        resetLater(() => {
          stream.close(NGHTTP2_CANCEL);
          stream.destroy();
        });
      const timer = endAt(deadlineMs, cancel);
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      try {
        stream.end(framed(request));
        const decode = createContentDecoder();
        // Left to itself, the loop destroys the stream at once where it is left.
        const chunks: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
        for await (const chunk of chunks) yield* decode(chunk);
        await outcome;
      } catch (error) {
        if (signal.aborted) throw abandoned();
        if (Date.now() >= deadlineMs) throw new PachdError('deadline', name, 'its time was up', error);
        if (error instanceof MalformedAnswer) throw new PachdError('unexpected', name, error.message, error);
        // What broke the stream is told by the outcome.
        await outcome;
        throw error;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        if (!stream.closed) cancel();
      }
    },
    close() {
      closed = true;
      current?.close();
    },
  };
}

/** Ends a call at its deadline, if it has one. */
function endAt(deadlineMs: number, end: () => void): NodeJS.Timeout | undefined {
  return Number.isFinite(deadlineMs) ? setTimeout(end, Math.max(0, deadlineMs - Date.now())) : undefined;
}

/** The grpc-timeout header: at most eight digits and a unit. */
function timeoutOf(leftMs: number): string {
  const ms = Math.max(1, Math.ceil(leftMs));
  return ms < 1e8 ? `${ms}m` : `${Math.ceil(ms / 1_000)}S`;
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
    const broken = (text: string, cause?: unknown) =>
      reject(new PachdError('unavailable', name, text, cause, 'broken'));
    stream.on('error', (error) => broken(error.message, error));
    stream.on('close', () => broken(`the stream ended before the call (HTTP/2 code ${stream.rstCode})`));
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
