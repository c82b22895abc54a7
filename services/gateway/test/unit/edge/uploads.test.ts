import { describe, expect, it } from 'vitest';
import { BodyAborted, BodyStalled, type HttpBody } from '../../../src/s3/http.ts';
import { deferred, dial, eventually, fetchOnce, readAll, serve, text } from './harness.ts';

const HEAD = 'HTTP/1.1\r\nHost: here\r\n';
const MIB = 1024 * 1024;

describe('the body of a request', () => {
  it('comes whole, with a length or in chunks', async () => {
    const { edge } = await serve(async (request) => text(`${request.body.lengthBytes}:${await readAll(request.body)}`));
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Content-Length: 6\r\n\r\nabc`);
    raw.send('def');
    expect(await raw.until(/6:abcdef$/)).toContain('HTTP/1.1 200 OK');
    raw.send(`PUT / ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    raw.send('4\r\nd');
    raw.send('efg\r\n0\r\n\r\n');
    expect(await raw.until(/undefined:abcdefg$/)).toContain('HTTP/1.1 200 OK');
  });

  it('is asked for with 100 Continue', async () => {
    const { edge } = await serve(async (request) => text(String(await readAll(request.body))));
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    await raw.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    raw.send('abc');
    await raw.until(/HTTP\/1\.1 200 OK.*abc$/s);
  });

  it('of 64 MiB comes as it was sent, through a window', async () => {
    const { edge } = await serve(async (request) => {
      let totalBytes = 0;
      let sum = 0;
      for await (const chunk of request.body) {
        totalBytes += chunk.length;
        for (let index = 0; index < chunk.length; index += 4096) {
          sum = (sum + (chunk[index] ?? 0) * (totalBytes - chunk.length + index)) % 1_000_003;
        }
        if (totalBytes % 7 === 0) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      return text(`${totalBytes}`);
    });
    const body = Buffer.alloc(64 * MIB, 'abcdefgh12345');
    expect((await fetchOnce(edge.port, { method: 'PUT', body })).body.toString()).toBe(String(64 * MIB));
  });

  it('stops the socket while nobody reads it', async () => {
    const release = deferred<void>();
    const { edge } = await serve(async (request) => {
      await release.promise;
      return text(String((await readAll(request.body)).length));
    });
    const answer = fetchOnce(edge.port, { method: 'PUT', body: Buffer.alloc(48 * MIB) });
    await eventually(() => edge.stats().bufferedBytes > 256 * 1024);
    // What the system had buffered when the window was full comes on top.
    expect(edge.stats().bufferedBytes).toBeLessThan(12 * MIB);
    release.resolve();
    expect((await answer).body.toString()).toBe(String(48 * MIB));
    await eventually(() => edge.stats().bufferedBytes === 0);
  });

  it('throws BodyAborted, and the signal fires, when the client goes away in the middle', async () => {
    const failed = deferred<unknown>();
    let aborted = false;
    const { edge, faults } = await serve(async (request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true;
      });
      await readAll(request.body).catch(failed.resolve);
      return text('nobody reads this');
    });
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Content-Length: 1000\r\n\r\nabc`);
    await eventually(() => edge.stats().inFlight === 1);
    raw.socket.destroy();
    expect(await failed.promise).toBeInstanceOf(BodyAborted);
    expect(aborted).toBe(true);
    await eventually(() => edge.stats().inFlight === 0);
    expect(faults).toEqual([]);
  });

  it('throws BodyAborted when its chunks are malformed', async () => {
    const failed = deferred<unknown>();
    const { edge } = await serve(async (request) => {
      await readAll(request.body).catch(failed.resolve);
      return text('nobody reads this');
    });
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    raw.send('zz\r\nabc\r\n0\r\n\r\n');
    expect(await failed.promise).toBeInstanceOf(BodyAborted);
    await raw.closed();
  });

  it('throws BodyStalled when nothing comes; the answer still reaches the client', async () => {
    const failed = deferred<unknown>();
    const { edge } = await serve(
      async (request) => {
        try {
          return text(String(await readAll(request.body)));
        } catch (error) {
          failed.resolve(error);
          return text('too slow', 400);
        }
      },
      { bodyIdleTimeoutMs: 100 },
    );
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Content-Length: 1000\r\n\r\nabc`);
    expect(await failed.promise).toBeInstanceOf(BodyStalled);
    expect(await raw.until(/too slow$/)).toMatch(/^HTTP\/1\.1 400 .*Connection: close\r\n/s);
  });

  it('may be read once', async () => {
    const { edge } = await serve(async (request) => {
      await readAll(request.body);
      expect(() => request.body[Symbol.asyncIterator]()).toThrow('once');
      return text('ok');
    });
    expect((await fetchOnce(edge.port, { method: 'PUT', body: Buffer.from('x') })).status).toBe(200);
  });
});

describe('an answer that does not wait for the body', () => {
  const refuse = async () => text('denied', 403);

  it('leaves the connection usable when what remains is small', async () => {
    const { edge } = await serve(refuse);
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Content-Length: 6\r\n\r\nabc`);
    expect(await raw.until(/denied$/)).not.toContain('Connection: close');
    raw.send(`defGET / ${HEAD}\r\n`);
    expect((await raw.until(/denied.*denied$/s)).match(/HTTP\/1\.1 403/g)).toHaveLength(2);
  });

  it('reaches a client that sends everything first', async () => {
    const { edge } = await serve(refuse);
    const answer = await fetchOnce(edge.port, { method: 'PUT', body: Buffer.alloc(24 * MIB) });
    expect([answer.status, answer.body.toString()]).toEqual([403, 'denied']);
  });

  it('reaches a client that ends the connection itself', async () => {
    const { edge } = await serve(refuse);
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Connection: close\r\nContent-Length: ${8 * MIB}\r\n\r\n`);
    raw.send(Buffer.alloc(8 * MIB));
    expect(await raw.closed()).toMatch(/^HTTP\/1\.1 403 .*denied$/s);
  });

  it('reaches a client that sends chunks, and keeps the connection if they end', async () => {
    const { edge } = await serve(refuse);
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    raw.send('0\r\n\r\n');
    expect(await raw.until(/denied$/)).not.toContain('Connection: close');
  });

  it('gives the connection up when what remains is large', async () => {
    const { edge } = await serve(refuse, { discardMaxBytes: MIB });
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Content-Length: ${64 * MIB}\r\n\r\n`);
    raw.send(Buffer.alloc(MIB));
    expect(await raw.until(/denied$/)).toMatch(/^HTTP\/1\.1 403 .*Connection: close\r\n/s);
  });

  it('gives the connection up when chunks do not end', async () => {
    const { edge } = await serve(refuse, { discardTimeoutMs: 100 });
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    expect(await raw.until(/denied$/)).toMatch(/^HTTP\/1\.1 403 .*Connection: close\r\n/s);
  });

  it('ends the reading of a body that somebody still reads', async () => {
    let body: HttpBody | undefined;
    const { edge } = await serve(async (request) => {
      body = request.body;
      return text('denied', 403);
    });
    const raw = await dial(edge.port);
    raw.send(`PUT / ${HEAD}Content-Length: 6\r\n\r\nabc`);
    await raw.until(/denied$/);
    await expect(readAll(body!)).rejects.toBeInstanceOf(BodyAborted);
  });

  it('after a part of the body was read stops at that part', async () => {
    const { edge } = await serve(async (request) => {
      for await (const _chunk of request.body) {
        break;
      }
      return text('denied', 403);
    });
    const answer = await fetchOnce(edge.port, { method: 'PUT', body: Buffer.alloc(8 * MIB) });
    expect(answer.status).toBe(403);
    await eventually(() => edge.stats().inFlight === 0);
  });
});
