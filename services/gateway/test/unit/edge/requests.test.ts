import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/s3/http.ts';
import { deferred, dial, eventually, fetchOnce, readAll, serve, text } from './harness.ts';

const HEAD = 'HTTP/1.1\r\nHost: here\r\n';

/** Answers with what it saw. */
async function echo(request: HttpRequest) {
  const body = await readAll(request.body);
  return text(
    JSON.stringify({
      method: request.method,
      path: request.rawPath,
      query: request.rawQuery,
      headers: request.headers.entries(),
      lengthBytes: request.body.lengthBytes ?? null,
      body: body.toString('latin1'),
    }),
  );
}

function seen(answer: string): Record<string, unknown> {
  return JSON.parse(answer.slice(answer.indexOf('{')));
}

describe('a request', () => {
  it('comes with its method, path and query as they were sent', async () => {
    const { edge } = await serve(echo);
    const raw = await dial(edge.port);
    raw.send(`GET /a%2Fb//c/../%7e?x=%20&y&x=a+b ${HEAD}\r\n`);
    expect(seen(await raw.until(/}$/))).toMatchObject({
      method: 'GET',
      path: '/a%2Fb//c/../%7e',
      query: 'x=%20&y&x=a+b',
      lengthBytes: 0,
      body: '',
    });
  });

  it('has every header in order, names in lower case, values without the blanks around them', async () => {
    const { edge } = await serve(async (request) => {
      expect(request.headers.get('x-a')).toBe('one');
      expect(request.headers.all('x-a')).toEqual(['one', 'two']);
      expect(request.headers.all('x-none')).toEqual([]);
      expect(request.headers.get('x-none')).toBeUndefined();
      return echo(request);
    });
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}X-A:   one \r\nX-B: b  b\r\nX-A: two\r\nX-Empty:\r\n\r\n`);
    expect(seen(await raw.until(/}$/))).toMatchObject({
      query: '',
      headers: [
        ['host', 'here'],
        ['x-a', 'one'],
        ['x-b', 'b  b'],
        ['x-a', 'two'],
        ['x-empty', ''],
      ],
    });
  });

  it('says how large its header block is', async () => {
    const { edge } = await serve(async (request) => text(String(request.headers.sizeBytes)));
    const raw = await dial(edge.port);
    raw.send(`GET / ${HEAD}X-A: 123\r\n\r\n`);
    expect(await raw.until(/\r\n\r\n\d+$/)).toMatch(/\r\n\r\n22$/);
  });

  it('keeps the connection for the next', async () => {
    const { edge } = await serve(echo);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const method of ['GET', 'PUT', 'HEAD', 'DELETE', 'GET']) {
      const body = method === 'PUT' ? { body: Buffer.from('abc') } : {};
      expect((await fetchOnce(edge.port, { method, agent, ...body })).status).toBe(200);
    }
    expect(edge.stats().sockets).toBe(1);
    agent.destroy();
  });

  it('has an unknown or lower-case method as it was sent', async () => {
    const { edge } = await serve(echo);
    const raw = await dial(edge.port);
    raw.send(`brew /pot ${HEAD}\r\n`);
    expect(seen(await raw.until(/}$/))).toMatchObject({ method: 'brew', path: '/pot' });
  });

  it('that is followed by another before its answer loses its connection, and nothing else', async () => {
    const release = deferred<void>();
    const { edge } = await serve(async (request) => {
      await release.promise;
      return text(request.rawPath);
    });
    const raw = await dial(edge.port);
    raw.send(`GET /1 ${HEAD}\r\nGET /2 ${HEAD}\r\n`);
    expect(await raw.closed()).toBe('');
    release.resolve();
    expect((await fetchOnce(edge.port, { path: '/3' })).body.toString()).toBe('/3');
    await eventually(() => edge.stats().inFlight === 0);
  });

  it.each([
    ['an absolute target', `GET http://here/ ${HEAD}\r\n`],
    ['no path', `OPTIONS * ${HEAD}\r\n`],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: here\r\n\r\n'],
    [
      'a length and chunks',
      `PUT / ${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    ],
    ['two lengths', `PUT / ${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    ['a length that is no number', `PUT / ${HEAD}Content-Length: +3\r\n\r\nabc`],
    ['a list of lengths', `PUT / ${HEAD}Content-Length: 3, 3\r\n\r\nabc`],
    ['a length past all bounds', `PUT / ${HEAD}Content-Length: 99999999999999999999\r\n\r\nabc`],
    ['another coding than chunked', `PUT / ${HEAD}Transfer-Encoding: gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['chunked twice', `PUT / ${HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
    ['more than a hundred headers', `GET / ${HEAD}${'X: y\r\n'.repeat(120)}\r\n`],
    ['a header block past the limit', `GET / ${HEAD}X: ${'y'.repeat(70_000)}\r\n\r\n`],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n'],
  ])('with %s is refused, and its connection closed', async (_name, bytes) => {
    let calls = 0;
    const { edge, faults } = await serve(async () => {
      calls += 1;
      return text('');
    });
    const raw = await dial(edge.port);
    raw.send(bytes);
    expect(await raw.closed()).toMatch(/^HTTP\/1\.1 (400|431|505) /);
    expect(calls).toBe(0);
    expect(faults).toEqual([]);
  });
});
