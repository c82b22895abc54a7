import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Against floods of reset streams (CVE-2023-44487) nghttp2 ends a connection, with all calls on it, after 1,000 resets at once and 33 a second.
 * The server of pachd does not, and a gateway that cancels the reads of many clients brings as many. Node has options for it since 22.11; in an
 * older one the resets that would be too many are taken out of what the connection brings, and their streams closed from this side.
 */
export const RESET_OPTIONS = { streamResetBurst: 1_000_000, streamResetRate: 1_000_000 };

/** Fewer than nghttp2 bears. */
const BURST = 800;
const RATE_PER_SECOND = 30;

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const RST_STREAM = 3;
const RST_STREAM_BYTES = 4;

/** Whether this Node can be told to bear them. */
export function hasResetOptions(version = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 11);
}

/**
 * Takes resets out of the bytes that a client sends: those that `isTooMany` says so of are given to `onReset` instead. Gives what is left of a
 * chunk, in pieces; what is not whole yet is held until the next.
 */
export function createResetFilter(isTooMany: () => boolean, onReset: (streamId: number, code: number) => void) {
  let passing = PREFACE_BYTES;
  let held: Buffer = Buffer.alloc(0);
  return (chunk: Buffer): readonly Buffer[] => {
    const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    const pieces: Buffer[] = [];
    let from = 0;
    let at = 0;
    const isWhole = (length: number) => bytes.length - at >= length;
    for (;;) {
      const step = Math.min(passing, bytes.length - at);
      at += step;
      passing -= step;
      if (passing > 0 || !isWhole(HEADER_BYTES)) break;
      const length = bytes.readUIntBE(at, 3);
      passing = HEADER_BYTES + length;
      if (bytes[at + 3] !== RST_STREAM || length !== RST_STREAM_BYTES) continue;
      if (!isWhole(passing)) {
        passing = 0;
        break;
      }
      if (!isTooMany()) continue;
      pieces.push(bytes.subarray(from, at));
      onReset(bytes.readUInt32BE(at + 5) & 0x7fffffff, bytes.readUInt32BE(at + HEADER_BYTES));
      at += passing;
      from = at;
      passing = 0;
    }
    pieces.push(bytes.subarray(from, at));
    held = bytes.subarray(at);
    return pieces.filter((piece) => piece.length > 0);
  };
}

/** Counts resets as nghttp2 does, a little more strictly. */
function createBudget(): () => boolean {
  let left = BURST;
  let countedAt = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(BURST, left + ((now - countedAt) / 1000) * RATE_PER_SECOND);
    countedAt = now;
    if (left < 1) return true;
    left--;
    return false;
  };
}

/** A connection of which the resets that are too many do not get to nghttp2. `begin` makes the session upon it. */
export function bearResets(socket: Socket, begin: (connection: Duplex) => ServerHttp2Session | undefined): void {
  const streams = new Map<number, ServerHttp2Stream>();
  /** Resets of streams that the session has not told of yet. */
  const early = new Map<number, number>();
  let lastId = 0;
  const reset = (id: number, code: number) => {
    const stream = streams.get(id);
    if (stream) stream.close(code);
    else if (id > lastId) early.set(id, code);
  };
  const afterWrite = (isRoom: boolean, done: () => void) => {
    if (isRoom) done();
    else socket.once('drain', done);
  };
  // What stands before a reset has to get to the session first.
  const filter = createResetFilter(createBudget(), (id, code) => setImmediate(reset, id, code));
  const connection = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _, done) => afterWrite(socket.write(chunk), done),
    writev: (chunks, done) => {
      socket.cork();
      const isRoom = chunks.map(({ chunk }) => socket.write(chunk)).at(-1) ?? true;
      socket.uncork();
      afterWrite(isRoom, done);
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    for (const piece of filter(chunk)) if (!connection.push(piece)) socket.pause();
  });
  socket.on('end', () => connection.push(null));
  socket.on('error', (error) => connection.destroy(error));
  socket.on('close', () => connection.destroy());
  const session = begin(connection);
  // Where Node keeps what a socket says of its other end, by which grpc-js names a call's peer.
  if (session) Object.assign(session.socket, { _peername: { address: socket.remoteAddress, port: socket.remotePort } });
  session?.on('stream', (stream: ServerHttp2Stream) => {
    const { id } = stream;
    if (id === undefined) return;
    lastId = Math.max(lastId, id);
    streams.set(id, stream);
    stream.once('close', () => streams.delete(id));
    const code = early.get(id);
    if (code === undefined) return;
    early.delete(id);
    stream.close(code);
  });
}
