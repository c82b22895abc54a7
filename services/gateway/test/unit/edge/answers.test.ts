import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../../src/s3/http.ts';
import { deferred, dial, eventually, fetchOnce, readAll, serve, text } from './harness.ts';

const HEAD = 'HTTP/1.1\r\nHost: here\r\n';
const MIB = 1024 * 1024;

function stream(chunks: AsyncIterable<Uint8Array>, lengthBytes?: number): HttpAnswer {
  return { status: 200, headers: [], body: { kind: 'stream', lengthBytes, chunks } };
}

async function* blocks(count: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) {
    yield Buffer.alloc(sizeBytes, index % 251);
  }
}

async function sized(answer: HttpAnswer, options: Parameters<typeof fetchOnce>[1] = {}) {
  const { edge, faults } = await serve(async () => answer);
  const result = await fetchOnce(edge.port, options);
  await eventually(() => edge.stats().inFlight === 0);
  expect(faults).toEqual([]);
  return result;
}

describe('an answer', () => {
  it('has its status, its headers, a date, and nothing that names the server', async () => {
    const { edge } = await serve(async () => ({
      status: 412,
      headers: [
        ['ETag', '"a"'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
      ],
      body: { kind: 'bytes', bytes: Buffer.from('no') },
    }));
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    expect(await raw.until(/no$/)).toMatch(
      /^HTTP\/1\.1 412 Precondition Failed\r\nETag: "a"\r\nX-Twice: 1\r\nX-Twice: 2\r\nDate: [^\r]*GMT\r\nContent-Length: 2\r\n\r\nno$/,
    );
  });

  it('cannot be split by a value', async () => {
    const answer = await sized({
      status: 200,
      headers: [['X-A', 'a\r\nX-B: b\0']],
      body: { kind: 'empty' },
    });
    expect(answer.headers['x-a']).toBe('a  X-B: b');
    expect(answer.headers).not.toHaveProperty('x-b');
  });

  it.each([0, 1, 4096, 4097, 17_000, 5 * MIB])('of %d bytes comes whole', async (sizeBytes) => {
    const bytes = Buffer.alloc(sizeBytes, 'abc');
    const answer = await sized({ status: 200, headers: [], body: { kind: 'bytes', bytes } });
    expect(answer.headers['content-length']).toBe(String(sizeBytes));
    expect(answer.body.equals(bytes)).toBe(true);
  });

  it.each([
    [0, 0],
    [1, 10],
    [7, 100_000],
    [40, 262_144],
  ])('that is a stream of %d times %d bytes comes whole, with a length or in chunks', async (count, sizeBytes) => {
    const expected = await readAll(blocks(count, sizeBytes));
    const known = await sized(stream(blocks(count, sizeBytes), count * sizeBytes));
    expect(known.headers['content-length']).toBe(String(count * sizeBytes));
    expect(known.body.equals(expected)).toBe(true);
    const unknown = await sized(stream(blocks(count, sizeBytes)));
    expect(unknown.body.equals(expected)).toBe(true);
  });

  it('to HEAD has the length of what it leaves out', async () => {
    let returned = false;
    const chunks: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('nobody asked')),
        return: async () => {
          returned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const answers: HttpAnswer[] = [
      { status: 200, headers: [], body: { kind: 'empty', lengthBytes: 12_345 } },
      { status: 200, headers: [], body: { kind: 'empty', lengthBytes: 0 } },
      text('error', 404),
      stream(chunks, 777),
    ];
    const { edge } = await serve(async (request) => answers[Number(request.rawPath.slice(1))]!);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const lengths: unknown[] = [];
    for (const index of answers.keys()) {
      const answer = await fetchOnce(edge.port, { method: 'HEAD', path: `/${index}`, agent });
      expect(answer.body.length).toBe(0);
      lengths.push(answer.headers['content-length']);
    }
    expect(lengths).toEqual(['12345', '0', '5', '777']);
    expect(returned).toBe(true);
    expect(edge.stats().sockets).toBe(1);
    agent.destroy();
  });

  it('without content has no length where HTTP allows none, and 0 elsewhere', async () => {
    for (const [status, length] of [
      [204, undefined],
      [304, undefined],
      [200, '0'],
      [404, '0'],
    ] as const) {
      const answer = await sized({ status, headers: [], body: { kind: 'empty' } });
      expect([answer.status, answer.headers['content-length']]).toEqual([status, length]);
    }
  });

  it('goes to a slow reader at the pace of the reader', async () => {
    let made = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; made < 200; made += 1) {
        yield Buffer.alloc(MIB, made);
      }
    }
    const { edge } = await serve(async () => stream(endless(), 200 * MIB));
    const raw = await dial(edge.port);
    raw.socket.removeAllListeners('data');
    raw.socket.pause();
    raw.send(`GET / ${HEAD}\r\n`);
    let before = -1;
    while (made !== before || made === 0) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // What is not made is not in memory: the rest fits into the buffers of two sockets and one chunk.
    expect(made).toBeLessThan(40);
    expect(edge.stats().bufferedBytes).toBeLessThanOrEqual(MIB);
    let receivedBytes = 0;
    raw.socket.on('data', (data) => {
      receivedBytes += data.length;
    });
    raw.socket.resume();
    await eventually(() => receivedBytes > 200 * MIB);
    await eventually(() => edge.stats().inFlight === 0);
    expect(made).toBe(200);
  }, 60_000);

  it('is cut off when the client takes nothing of it for too long', async () => {
    const { edge } = await serve(async () => stream(blocks(64, MIB), 64 * MIB), { responseIdleTimeoutMs: 200 });
    const raw = await dial(edge.port);
    raw.socket.removeAllListeners('data');
    raw.socket.pause();
    raw.send(`GET / ${HEAD}\r\n`);
    await eventually(() => edge.stats().bufferedBytes > 0);
    await eventually(() => edge.stats().sockets === 0);
    expect(edge.stats()).toEqual({ inFlight: 0, sockets: 0, bufferedBytes: 0 });
  });

  it.each([
    ['throws', 10, true],
    ['ends early', 20, false],
    ['gives too much', 7, false],
  ])('whose stream %s ends with the connection', async (_name, lengthBytes, throws) => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abcde');
      yield Buffer.from('fgh');
      if (throws) {
        throw new Error('pachd went away');
      }
    }
    const { edge, faults } = await serve(async () => stream(broken(), lengthBytes));
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    const received = await raw.closed();
    expect(received.endsWith('abcdefgh') || received.endsWith('abcde')).toBe(true);
    expect(faults).toHaveLength(1);
    await eventually(() => edge.stats().inFlight === 0);
  });

  it('whose stream throws in chunked coding has no last chunk', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abcde');
      throw new Error('pachd went away');
    }
    const { edge } = await serve(async () => stream(broken()));
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    expect(await raw.closed()).toMatch(/\r\n5\r\nabcde$/);
  });

  it('lets go of its stream, and the signal fires, when the client goes away', async () => {
    const returned = deferred<void>();
    let aborted = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield Buffer.alloc(MIB);
        }
      } finally {
        returned.resolve();
      }
    }
    const { edge, faults } = await serve(async (request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true;
      });
      return stream(endless(), 2 ** 40);
    });
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    await raw.until(/HTTP\/1\.1 200/);
    raw.socket.destroy();
    await returned.promise;
    expect(aborted).toBe(true);
    await eventually(() => edge.stats().inFlight === 0);
    expect(faults).toEqual([]);
  });

  it('of a handler that throws is a closed connection, and the fault is told', async () => {
    const { edge, faults } = await serve(async () => {
      throw new Error('a bug');
    });
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    expect(await raw.closed()).toBe('');
    expect(faults).toEqual([new Error('a bug')]);
  });
});
