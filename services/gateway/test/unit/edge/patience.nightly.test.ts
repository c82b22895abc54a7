import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { dial, eventually, readAll, serve, text } from './harness.ts';

const HEAD = 'HTTP/1.1\r\nHost: here\r\n';
const MIB = 1024 * 1024;

/** uWebSockets closes a socket after ten seconds in which too little happened; it counts in steps of four. */
const PAST_ITS_PATIENCE_MS = 16_000;

it('a body may come more slowly than uWebSockets has patience', async () => {
  const { edge } = await serve(async (request) => text(String(await readAll(request.body))));
  const raw = await dial(edge.port);
  raw.send(`PUT / ${HEAD}Content-Length: 6\r\n\r\nabc`);
  await sleep(PAST_ITS_PATIENCE_MS);
  raw.send('def');
  await raw.until(/abcdef$/);
}, 40_000);

it('an answer may be read more slowly than uWebSockets has patience', async () => {
  async function* blocks(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 32; index += 1) {
      yield Buffer.alloc(MIB);
    }
  }
  const { edge } = await serve(async () => ({
    status: 200,
    headers: [],
    body: { kind: 'stream', lengthBytes: 32 * MIB, chunks: blocks() },
  }));
  const raw = await dial(edge.port);
  raw.socket.removeAllListeners('data');
  raw.socket.pause();
  raw.send(`GET / ${HEAD}\r\n`);
  await eventually(() => edge.stats().bufferedBytes > 0);
  await sleep(PAST_ITS_PATIENCE_MS);
  let receivedBytes = 0;
  raw.socket.on('data', (data) => {
    receivedBytes += data.length;
  });
  raw.socket.resume();
  await eventually(() => receivedBytes > 32 * MIB);
  expect(edge.stats().sockets).toBe(1);
}, 40_000);

it('a handler may take longer than uWebSockets has patience', async () => {
  const { edge } = await serve(async (request) => {
    await readAll(request.body);
    await sleep(PAST_ITS_PATIENCE_MS);
    return text('done');
  });
  const raw = await dial(edge.port);
  raw.send(`PUT / ${HEAD}Content-Length: ${8 * MIB}\r\n\r\n`);
  raw.send(Buffer.alloc(8 * MIB));
  await raw.until(/done$/);
}, 40_000);
