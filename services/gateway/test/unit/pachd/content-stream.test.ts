import { type ClientHttp2Session, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BytesValue } from '../../../../../proto/gen/google/protobuf/wrappers.ts';
import { type ContentChannel, openContentChannel } from '../../../src/pachd/content-stream.ts';

/** Whether frames are being read: what a promise continues with runs before the first callback of the next phase. */
let isReading = false;
/** Resets that were made while frames were read. */
let early: string[] = [];
let resets = 0;

vi.mock('node:http2', async (importOriginal) => {
  const http2 = await importOriginal<typeof import('node:http2')>();
  const connect = (...args: Parameters<typeof http2.connect>): ClientHttp2Session => {
    const session = http2.connect(...args);
    const { request } = session;
    session.request = (...asked) => {
      const stream = request.apply(session, asked);
      const { push } = stream;
      stream.push = (...pushed: Parameters<typeof push>) => {
        isReading = true;
        setImmediate(() => {
          isReading = false;
        });
        return push.apply(stream, pushed);
      };
      for (const name of ['close', 'destroy'] as const) {
        const reset = stream[name].bind(stream) as (...given: unknown[]) => never;
        stream[name] = (...given: unknown[]) => {
          resets += 1;
          if (isReading) early.push(name);
          return reset(...given);
        };
      }
      return stream;
    };
    return session;
  };
  return { ...http2, connect };
});

const PIECE = Buffer.alloc(3_000, 'x');
let server: Http2Server;
let channel: ContentChannel;
let asked: ServerHttp2Stream[];
/** How much time each of them was given. */
let timeouts: (string | undefined)[];

beforeEach(async () => {
  [isReading, early, resets, asked, timeouts] = [false, [], 0, [], []];
  server = createServer();
  // It begins to answer, and never ends.
  server.on('stream', (stream, headers) => {
    asked.push(stream);
    timeouts.push(headers['grpc-timeout']?.toString());
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(framed(PIECE));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  channel = openContentChannel({ target, authority: target, serverName: undefined, tls: false });
});

afterEach(async () => {
  channel.close();
  await new Promise((done) => server.close(done));
});

const CALL = { path: '/pfs_v2.API/GetFile', request: new Uint8Array(4) };

function attempt(signal: AbortSignal, deadlineMs = Number.POSITIVE_INFINITY) {
  return { name: 'GetFile', token: undefined, signal, deadlineMs };
}

it.each([
  ['leaves', undefined],
  ['is gone', /its caller is gone/],
] as const)('a reader who %s in the middle has the stream reset, and not while frames are read', async (how, error) => {
  const client = new AbortController();
  const read = async () => {
    for await (const bytes of channel.read(CALL, attempt(client.signal))) {
      expect(bytes.length).toBeGreaterThan(0);
      if (how === 'leaves') return;
      client.abort();
    }
  };
  await (error === undefined ? read() : expect(read()).rejects.toThrow(error));
  await vi.waitFor(() => expect(asked[0]?.closed).toBe(true));
  expect(asked[0]?.rstCode).toBe(8);
  expect(resets).toBeGreaterThan(0);
  expect(early).toEqual([]);
});

it('a reader who is gone before asks nothing', async () => {
  const read = channel.read(CALL, attempt(AbortSignal.abort()));
  await expect(read.next()).rejects.toMatchObject({ kind: 'canceled' });
  expect(asked).toEqual([]);
});

it('a deadline travels with the call, and ends it', async () => {
  const read = async () => {
    for await (const bytes of channel.read(CALL, attempt(new AbortController().signal, Date.now() + 300))) {
      expect(bytes.length).toBeGreaterThan(0);
    }
  };
  await expect(read()).rejects.toMatchObject({ kind: 'deadline' });
  expect(Number.parseInt(timeouts[0] ?? '', 10)).toBeGreaterThan(0);
  expect(timeouts[0]).toMatch(/^\d{1,3}m$/);
  await vi.waitFor(() => expect(asked[0]?.closed).toBe(true));
});

it('what cannot be connected to, or is closed, was never asked', async () => {
  const target = '127.0.0.1:1';
  const nowhere = openContentChannel({ target, authority: target, serverName: undefined, tls: false });
  const closed = openContentChannel({ target, authority: target, serverName: undefined, tls: false });
  closed.close();
  for (const { read } of [nowhere, closed]) {
    const asking = read(CALL, attempt(new AbortController().signal)).next();
    await expect(asking).rejects.toMatchObject({ kind: 'unavailable', delivery: 'none' });
  }
});

it('a connection that breaks under a call leaves open what became of it', async () => {
  const read = async () => {
    for await (const bytes of channel.read(CALL, attempt(new AbortController().signal))) {
      expect(bytes.length).toBeGreaterThan(0);
      asked[0]?.session?.destroy();
    }
  };
  await expect(read()).rejects.toMatchObject({ kind: 'unavailable', delivery: 'broken' });
});

function framed(value: Uint8Array): Buffer {
  const message = BytesValue.encode({ value }).finish();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}
