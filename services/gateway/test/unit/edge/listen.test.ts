import { describe, expect, it } from 'vitest';
import { ListenError, listen } from '../../../src/edge/listen.ts';
import { UwsUnavailable } from '../../../src/edge/uws.ts';
import { deferred, dial, eventually, fetchOnce, serve, text } from './harness.ts';

const HEAD = 'HTTP/1.1\r\nHost: here\r\n';

const options = {
  host: '127.0.0.1',
  handle: async () => text('hello'),
  onFault: () => undefined,
};

describe('listening', () => {
  it('twice on a port that is not shared says that it is in use', async () => {
    const { edge } = await serve(options.handle);
    const second = listen({ ...options, port: edge.port, exclusive: true });
    await expect(second).rejects.toThrow(ListenError);
    await expect(second).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${edge.port}: the address is in use`,
    });
    expect((await fetchOnce(edge.port)).body.toString()).toBe('hello');
  });

  it('twice on a shared port works', async () => {
    const free = await listen({ ...options, port: 0, exclusive: true });
    free.close();
    const first = await listen({ ...options, port: free.port, exclusive: false });
    const second = await listen({ ...options, port: free.port, exclusive: false });
    expect((await fetchOnce(free.port)).status).toBe(200);
    first.close();
    expect((await fetchOnce(free.port)).status).toBe(200);
    second.close();
  });

  it('on a port of its own too serves on both, until it is drained', async () => {
    const [shared, own] = await freePorts();
    const edge = await listen({ ...options, port: shared, ownPort: own, exclusive: false });
    expect((await fetchOnce(shared)).status).toBe(200);
    expect((await fetchOnce(own)).status).toBe(200);
    await expect(listen({ ...options, port: shared, ownPort: own, exclusive: false })).rejects.toMatchObject({
      message: `cannot listen on 127.0.0.1:${own}: the address is in use`,
    });
    await edge.drain(1_000);
    for (const port of [shared, own]) await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('on an address of another machine says so', async () => {
    await expect(listen({ ...options, host: '192.0.2.1', port: 0, exclusive: true })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });

  it('with a certificate that is not there names the file', async () => {
    const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    await expect(listen({ ...options, port: 0, exclusive: true, tls })).rejects.toThrow('/nowhere/cert.pem');
  });

  it('without a build of uWebSockets.js says in one line what to take', () => {
    const error = new UwsUnavailable([new Error('no such file')]);
    expect(error.stack).toMatch(
      /^UwsUnavailable: .*take Node 20 or 22; or Node 20, 22, 24 or 25 with glibc 2\.38 or later\.$/,
    );
  });
});

async function freePorts(): Promise<[number, number]> {
  const edges = await Promise.all([0, 0].map((port) => listen({ ...options, port, exclusive: true })));
  for (const edge of edges) edge.close();
  return [edges[0]!.port, edges[1]!.port];
}

describe('draining', () => {
  it('lets a request end, tells the client to go, and refuses new connections', async () => {
    const release = deferred<void>();
    const { edge } = await serve(async () => {
      await release.promise;
      return text('done');
    });
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    await eventually(() => edge.stats().inFlight === 1);
    let drained = false;
    const draining = edge.drain(10_000).then(() => {
      drained = true;
    });
    await expect(dial(edge.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(drained).toBe(false);
    release.resolve();
    expect(await raw.closed()).toMatch(/Connection: close\r\n.*done$/s);
    await draining;
    expect(edge.stats()).toEqual({ inFlight: 0, sockets: 0, bufferedBytes: 0 });
  });

  it('takes connections for as long as others are to hear that it goes, and tells each client to go', async () => {
    const { edge } = await serve(options.handle);
    const draining = edge.drain(10_000, 300);
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    expect(await raw.closed()).toMatch(/Connection: close\r\n.*hello$/s);
    await draining;
    await expect(dial(edge.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('answers requests of open connections until they are gone', async () => {
    const { edge } = await serve(options.handle, { drainIdleMs: 10_000 });
    const raw = await dial(edge.port);
    await eventually(() => edge.stats().sockets === 1);
    const draining = edge.drain(10_000);
    raw.send(`GET / ${HEAD}\r\n`);
    expect(await raw.closed()).toMatch(/Connection: close\r\n.*hello$/s);
    await draining;
  });

  it('closes connections that idle', async () => {
    const { edge } = await serve(options.handle, { drainIdleMs: 50 });
    const raw = await dial(edge.port);
    await eventually(() => edge.stats().sockets === 1);
    await edge.drain(10_000);
    expect(await raw.closed()).toBe('');
  });

  it('cuts what does not end in time', async () => {
    const { edge } = await serve(() => new Promise(() => undefined));
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}\r\n`);
    await eventually(() => edge.stats().inFlight === 1);
    await edge.drain(100);
    expect(await raw.closed()).toBe('');
  });
});
