import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  awsEnvironment,
  makeFolder,
  pythonProgram,
  runCommand,
  sampleBytes,
} from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { encode, type SendOptions, send, sendRaw } from '../../services/gateway/test/support/http.ts';
import { keyOf, sign } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN } from '../cluster/cluster.ts';
import { type BalancedRequest, type Fleet, startFleet } from './fleet.ts';

const root = keyOf(ROOT_TOKEN);
const MIB = 1 << 20;

describe('the load balancer', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await startFleet({ auth: true, gatewayEnv: { TUSK_DOMAINS: 's3.localhost' } });
  });
  afterAll(() => fleet?.stop());

  const call = (method: string, path: string, options: SendOptions = {}) =>
    send(fleet.url, method, path, { key: root, ...options });
  async function makeBucket(name: string): Promise<string> {
    expect((await call('PUT', `/${name}`)).status).toBe(200);
    return name;
  }
  /** The log's lines of requests below a path; the last of them is written when its answer is out. */
  const loggedBelow = (path: string, count: number) =>
    eventually<readonly BalancedRequest[]>(
      `${count} lines of ${path}`,
      async () => (await fleet.requests()).filter((line) => line.path.startsWith(path)),
      (lines) => lines.length >= count,
    );
  const serversOf = (lines: readonly BalancedRequest[]) => [...new Set(lines.map(({ server }) => server))];

  it('sends all writes of a bucket to one worker, and those of many buckets to several', async () => {
    const homes: (string | undefined)[] = [];
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const bucket = await makeBucket(`master.writes-${number}.default`);
      const puts = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => call('PUT', `/${bucket}/${key}`, { body: key }));
      for (const { status } of await Promise.all(puts)) expect(status).toBe(200);
      expect((await call('DELETE', `/${bucket}/a`)).status).toBe(204);
      const lines = await loggedBelow(`/${bucket}/`, 7);
      expect(lines.every(({ backend }) => backend === 'writes')).toBe(true);
      expect(serversOf(lines)).toHaveLength(1);
      homes.push(lines[0]?.server);
    }
    expect(new Set(homes).size).toBeGreaterThan(1);
  });

  it('finds the bucket of a virtual host, with dots in it, and sends its writes where those by path go', async () => {
    const bucket = await makeBucket('master.hosted.default');
    await call('PUT', `/${bucket}/by-path`, { body: 'path' });
    for (const host of [`${bucket}.s3.localhost`, `${bucket}.S3.localhost:30600`]) {
      expect((await call('PUT', '/by-host', { headers: { host }, body: 'host' })).status).toBe(200);
    }
    expect((await call('GET', `/${bucket}/by-host`)).text).toBe('host');
    const lines = (await loggedBelow('/by-host', 2)).concat(await loggedBelow(`/${bucket}/by-path`, 1));
    expect(serversOf(lines)).toHaveLength(1);
  });

  it('spreads reads over all workers', async () => {
    const bucket = await makeBucket('master.reads.default');
    await call('PUT', `/${bucket}/key`, { body: 'x' });
    for (let count = 0; count < 12; count++) {
      const { status, text } = await call(count % 2 === 0 ? 'GET' : 'HEAD', `/${bucket}/key`);
      expect([status, text]).toEqual([200, count % 2 === 0 ? 'x' : '']);
    }
    const reads = (await loggedBelow(`/${bucket}/key`, 13)).filter(({ method }) => method !== 'PUT');
    expect(reads.every(({ backend }) => backend === 'reads')).toBe(true);
    expect(serversOf(reads)).toHaveLength(4);
  });

  it('takes what the workers do not: no Host, the absolute form, a second request before the first is answered', async () => {
    expect(await sendRaw(fleet.url, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*<Code>InvalidRequest</);
    const absolute = `GET ${fleet.url}/bucket/key HTTP/1.1\r\nHost: ${new URL(fleet.url).host}\r\n\r\n`;
    expect(await sendRaw(fleet.url, absolute)).toMatch(/ 403 [\s\S]*<Resource>\/bucket\/key</);
    const one = (key: string, more = '') => `GET /bucket/${key} HTTP/1.1\r\nHost: here\r\n${more}\r\n`;
    const both = await untilClosed(fleet.url, one('first') + one('second', 'Connection: close\r\n'));
    expect([...both.matchAll(/<Resource>([^<]*)</g)].map(([, resource]) => resource)).toEqual([
      '/bucket/first',
      '/bucket/second',
    ]);
  });

  it('passes on that the worker asks for a body', async () => {
    const bucket = await makeBucket('master.continue.default');
    const { path, query } = await sign(
      { method: 'PUT', path: `/${bucket}/key`, query: [], headers: { host: 'here' }, body: Buffer.alloc(0) },
      'presign-v4',
      { key: root, at: new Date(), expiresSeconds: 60 },
    );
    const target = `${path}?${query.map(([name, value]) => `${encode(name)}=${encode(value ?? '')}`).join('&')}`;
    const put = `PUT ${target} HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    const answer = await untilClosed(fleet.url, put, { when: 'HTTP/1.1 100 Continue\r\n\r\n', send: 'after' });
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
    expect((await call('GET', `/${bucket}/key`)).text).toBe('after');
  });

  it('passes on the answer to an upload that is refused before its end, and to headers that are too large', async () => {
    const body = sampleBytes(8 * MIB);
    const forged = { accessKey: ROOT_TOKEN, secretKey: 'another' };
    const refused = await call('PUT', '/master.refused.default/large', { key: forged, body });
    expect([refused.status, refused.code]).toEqual([403, 'SignatureDoesNotMatch']);
    const large = await call('GET', '/', { headers: { 'x-amz-meta-large': 'x'.repeat(20 << 10) } });
    expect([large.status, large.code]).toEqual([400, 'RequestHeaderSectionTooLarge']);
  });

  it('streams large bodies in both directions, for the aws command line too', async () => {
    const bucket = await makeBucket('master.large.default');
    const body = sampleBytes(64 * MIB);
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect((await call('PUT', `/${bucket}/one-put`, { body })).status).toBe(200);
    const folder = await makeFolder();
    try {
      const [up, down] = [join(folder.path, 'up'), join(folder.path, 'down')];
      await writeFile(up, body);
      for (const args of [
        ['cp', up, `s3://${bucket}/parts`],
        ['cp', `s3://${bucket}/one-put`, down],
        ['cp', `s3://${bucket}/parts`, `${down}-parts`],
      ]) {
        const env = awsEnvironment(folder.path, root);
        const { code, stderr } = await runCommand(
          pythonProgram('aws'),
          ['--endpoint-url', fleet.url, 's3', '--only-show-errors', ...args],
          { env },
        );
        expect([code, stderr]).toEqual([0, '']);
      }
      for (const file of [down, `${down}-parts`]) {
        expect(
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
        ).toBe(sha256);
      }
    } finally {
      await folder.remove();
    }
  });

  it('gives each request an id, keeps one that it has, and tells which the gateway gave', async () => {
    const given = await call('GET', '/', { headers: { 'x-request-id': 'of-the-client' } });
    const own = await call('GET', '/?x-id=ListBuckets', { key: root });
    const lines = await eventually(
      'both lines',
      async () => {
        const all = await fleet.requests();
        const of = (answer: typeof own) => all.find((line) => line.gatewayId === answer.headers['x-amz-request-id']);
        return [of(given)?.requestId, of(own)?.requestId];
      },
      (ids) => ids.every((id) => id !== undefined),
    );
    expect(lines).toEqual(['of-the-client', expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  it('writes no credential to its log, wherever it stands', async () => {
    const path = `/${await makeBucket('master.secrets.default')}/key`;
    for (const signing of ['v4', 'v4-streaming', 'v2', 'presign-v4', 'presign-v2'] as const) {
      expect((await call('PUT', path, { signing, body: 'secret', expiresSeconds: 60 })).status).toBe(200);
      expect((await call('GET', path, { signing: signing === 'v4-streaming' ? 'v4' : signing })).text).toBe('secret');
    }
    // What is no HTTP is logged too.
    await sendRaw(
      fleet.url,
      `GET /?AWSAccessKeyId=${ROOT_TOKEN} HTTP/1.1\r\nAuthorization: AWS ${ROOT_TOKEN}:x\r\nbad header\r\n\r\n`,
    );
    await sendRaw(fleet.url, `GET /${ROOT_TOKEN}\r\n\r\n`);
    await loggedBelow(path, 10);
    expect(await fleet.balancerLog()).not.toContain(ROOT_TOKEN);
    expect(await fleet.balancerLog()).not.toMatch(/[Ss]ignature/);
  });
});

/** Sends bytes, and more when something has come, and returns all that comes until the peer closes. */
function untilClosed(
  url: string,
  bytes: string,
  more?: { readonly when: string; readonly send: string },
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      if (text === more?.when) socket.write(more.send);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}
