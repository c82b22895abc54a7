import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { EdgeLimits } from '../../../src/edge/limits.ts';
import { type Edge, listen } from '../../../src/edge/listen.ts';
import type { Handle, HttpAnswer } from '../../../src/s3/http.ts';

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) {
    end();
  }
});

export interface Served {
  readonly edge: Edge;
  readonly faults: unknown[];
}

/** An edge on a free port, closed after the test. */
export async function serve(handle: Handle, limits: Partial<EdgeLimits> = {}): Promise<Served> {
  const faults: unknown[] = [];
  const edge = await listen({
    host: '127.0.0.1',
    port: 0,
    exclusive: true,
    handle,
    limits,
    onFault: (fault) => faults.push(fault),
  });
  ends.push(() => edge.close());
  return { edge, faults };
}

export function text(body: string, status = 200): HttpAnswer {
  return { status, headers: [['Content-Type', 'text/plain']], body: { kind: 'bytes', bytes: Buffer.from(body) } };
}

/** A TCP connection that shows what came, byte for byte. */
export interface Raw {
  readonly socket: Socket;
  send(data: string | Uint8Array): void;
  /** What came so far, in latin1. */
  received(): string;
  /** Resolves when what came matches. Fails if the connection closes before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves to all that came when the connection is closed. */
  closed(): Promise<string>;
}

export async function dial(port: number): Promise<Raw> {
  const socket = connect(port, '127.0.0.1');
  ends.push(() => socket.destroy());
  let received = '';
  let over = false;
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    over = true;
  });
  await once(socket, 'connect');
  return {
    socket,
    send: (data) => void socket.write(data),
    received: () => received,
    async until(pattern) {
      while (!pattern.test(received)) {
        if (over) {
          throw new Error(`closed after ${JSON.stringify(received)}, before ${pattern}`);
        }
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      }
      return received;
    },
    async closed() {
      if (!over) {
        await once(socket, 'close');
      }
      return received;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A request by node's client. */
export async function fetchOnce(
  port: number,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: Uint8Array; agent?: Agent } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  const outgoing = request({ host: '127.0.0.1', port, agent: false, ...rest });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of incoming) {
    parts.push(part as Buffer);
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(parts) };
}

/** Waits for a condition, by looking again in every turn. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** A promise with its key. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}
