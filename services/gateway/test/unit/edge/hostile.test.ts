import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../../src/s3/http.ts';
import { eventually, fetchOnce, readAll, serve, text } from './harness.ts';

const HEAD = 'HTTP/1.1\r\nHost: h\r\n';

async function* blocks(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) {
    yield Buffer.alloc(100_000);
    if (index % 2 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Every way in which a handler may treat its request. */
async function handle(request: HttpRequest): Promise<HttpAnswer> {
  switch (request.rawPath) {
    case '/read':
      return text(String((await readAll(request.body)).length));
    case '/first':
      for await (const _chunk of request.body) {
        break;
      }
      return text('first');
    case '/stream':
      return { status: 200, headers: [], body: { kind: 'stream', lengthBytes: 1_000_000, chunks: blocks(10) } };
    case '/short':
      return { status: 200, headers: [], body: { kind: 'stream', lengthBytes: 1_000_000, chunks: blocks(3) } };
    case '/chunked':
      return { status: 200, headers: [], body: { kind: 'stream', lengthBytes: undefined, chunks: blocks(10) } };
    case '/throw':
      throw new Error('on purpose');
    default:
      return text('ignored');
  }
}

const path = fc.constantFrom('/read', '/first', '/stream', '/short', '/chunked', '/throw', '/');
const piece = fc.oneof(
  path.map((to) => `GET ${to} ${HEAD}\r\n`),
  path.map((to) => `HEAD ${to} ${HEAD}Connection: close\r\n\r\n`),
  path.map((to) => `PUT ${to} ${HEAD}Content-Length: 10\r\n\r\n0123456789`),
  path.map((to) => `PUT ${to} ${HEAD}Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n`),
  path.map((to) => `POST ${to} ${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`),
  path.map((to) => `POST ${to} ${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3\r\nabc\r\nzz`),
  fc.constant('x'.repeat(300_000)),
  fc.string(),
  fc.constantFrom('\r\n', '0\r\n\r\n', 'GET', ' ', 'HTTP/1.1', ':', '\0'),
);
/** What is written at a time, and how the connection ends. */
const client = fc.record({
  writes: fc.array(fc.array(piece, { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
  ending: fc.constantFrom('reset', 'destroy', 'end', 'read'),
});

type Client = typeof client extends fc.Arbitrary<infer T> ? T : never;

function run(port: number, { writes, ending }: Client): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('connect', async () => {
      for (const write of writes) {
        socket.write(write.join(''));
        await new Promise((next) => setImmediate(next));
      }
      if (ending === 'reset') {
        socket.resetAndDestroy();
      } else if (ending === 'end') {
        socket.end();
        socket.resume();
      } else if (ending === 'destroy') {
        socket.destroy();
      } else {
        socket.on('data', () => socket.destroy());
        socket.setTimeout(50, () => socket.destroy());
      }
    });
  });
}

it('whatever clients send, and whenever they go, the next one is served and nothing is left', async () => {
  const { edge, faults } = await serve(handle, { discardTimeoutMs: 50, bodyIdleTimeoutMs: 100 });
  await fc.assert(
    fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: 8 }), async (clients) => {
      await Promise.all(clients.map((each) => run(edge.port, each)));
      expect((await fetchOnce(edge.port)).body.toString()).toBe('ignored');
    }),
    { numRuns: 200 },
  );
  await eventually(() => edge.stats().inFlight === 0 && edge.stats().sockets === 0);
  expect(edge.stats()).toEqual({ inFlight: 0, sockets: 0, bufferedBytes: 0 });
  const unexpected = faults.filter(
    (fault) =>
      !(
        fault instanceof Error &&
        /on purpose|shorter than it announced|closed the connection|nothing of the body/.test(fault.message)
      ),
  );
  expect(unexpected).toEqual([]);
}, 60_000);
