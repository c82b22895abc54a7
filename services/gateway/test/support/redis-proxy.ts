import { createServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from './redis.ts';

/** Stands between tusk and Redis, and breaks what a network breaks. */
export interface RedisProxy {
  readonly port: number;
  /** Connections that were made through it so far. */
  connections(): number;
  /** Of the next request that has these bytes in it nothing comes back: it reaches Redis, and the connection is cut at its answer. */
  cutAtAnswerTo(text: string): void;
  /** The next request with these bytes in it does not reach Redis: the connection is cut. */
  cutBefore(text: string): void;
  /** Answers come so much later, in milliseconds. */
  delay(ms: number): void;
  /** What a partition is like: connections stay, and nothing goes through them. */
  block(): void;
  unblock(): void;
  close(): Promise<void>;
}

export async function startProxy(server: RedisServer): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  let answerCut: string | undefined;
  let requestCut: string | undefined;
  let blocked = false;
  let delayMs = 0;
  let count = 0;
  const proxy = createServer((client) => {
    count++;
    const redis = dial(server.port, server.host);
    let cutting = false;
    const cut = (): void => {
      client.destroy();
      redis.destroy();
    };
    for (const socket of [client, redis]) {
      sockets.add(socket);
      if (blocked) socket.pause();
      // Either side may be killed by the test.
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (bytes) => {
      if (requestCut !== undefined && bytes.includes(requestCut)) {
        requestCut = undefined;
        return cut();
      }
      if (answerCut !== undefined && bytes.includes(answerCut)) {
        answerCut = undefined;
        cutting = true;
      }
      redis.write(bytes);
    });
    // What comes later never overtakes what is delayed.
    let before = Promise.resolve();
    redis.on('data', (bytes) => {
      if (cutting) return cut();
      const dueMs = performance.now() + delayMs;
      before = before.then(async () => {
        const leftMs = dueMs - performance.now();
        if (leftMs > 0) await sleep(leftMs);
        if (client.writable) client.write(bytes);
      });
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    connections: () => count,
    cutAtAnswerTo: (text) => {
      answerCut = text;
    },
    cutBefore: (text) => {
      requestCut = text;
    },
    delay(ms) {
      delayMs = ms;
    },
    block() {
      blocked = true;
      for (const socket of sockets) socket.pause();
    },
    unblock() {
      blocked = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      const closed = new Promise((resolve) => proxy.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
