import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { type Edge, listen } from '../../../src/edge/listen.ts';
import type { Handle } from '../../../src/s3/http.ts';
import { eventually, readAll, text } from './harness.ts';

/** A certificate for localhost, good for nothing but this test. */
const certFile = fileURLToPath(new URL('./tls/cert.pem', import.meta.url));
const keyFile = fileURLToPath(new URL('./tls/key.pem', import.meta.url));

const MIB = 1024 * 1024;

let edge: Edge | undefined;
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(certFile) });

afterEach(() => {
  agent.destroy();
  edge?.close();
});

async function serve(handle: Handle): Promise<Edge> {
  const faults: unknown[] = [];
  edge = await listen({
    host: '127.0.0.1',
    port: 0,
    exclusive: true,
    tls: { certFile, keyFile },
    handle,
    onFault: (fault) => faults.push(fault),
  });
  return edge;
}

async function send(port: number, method: string, path: string, body?: Uint8Array) {
  const outgoing = request({ host: '127.0.0.1', port, method, path, agent });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode, body: await readAll(incoming) };
}

it('over TLS bodies and streams go both ways, whole and on one connection', async () => {
  const payload = Buffer.alloc(32 * MIB, 'abcdefghijk');
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < payload.length; start += MIB) {
      yield payload.subarray(start, start + MIB);
    }
  }
  const { port, stats } = await serve(async (incoming) => {
    if (incoming.method === 'PUT') {
      return text(String((await readAll(incoming.body)).equals(payload)));
    }
    const lengthBytes = incoming.rawPath === '/chunked' ? undefined : payload.length;
    return { status: 200, headers: [], body: { kind: 'stream', lengthBytes, chunks: pieces() } };
  });
  expect((await send(port, 'PUT', '/', payload)).body.toString()).toBe('true');
  expect((await send(port, 'GET', '/')).body.equals(payload)).toBe(true);
  expect((await send(port, 'GET', '/chunked')).body.equals(payload)).toBe(true);
  expect(stats().sockets).toBe(1);
  await eventually(() => stats().inFlight === 0);
  expect(stats().bufferedBytes).toBe(0);
}, 30_000);

it('over TLS a client that talks plainly loses its connection, and nobody else', async () => {
  const { port } = await serve(async () => text('hello'));
  const { connect } = await import('node:net');
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  expect((await send(port, 'GET', '/')).body.toString()).toBe('hello');
});
