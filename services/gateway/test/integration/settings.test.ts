// Settings that change what clients see.
import { afterEach, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { keyOf, sign } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';

let running: Tusk | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(env: Readonly<Record<string, string>>): Promise<Tusk> {
  running = await startTusk({ env });
  return running;
}

it('TUSK_DOMAINS: a bucket is the subdomain, in any case of letters, with and without a port', async () => {
  const tusk = await start({ TUSK_DOMAINS: 's3.example.com,other.example.com' });
  const bucket = await freshBucket(tusk);
  const key = keyOf('any-key');
  const host = `${bucket}.s3.example.com`;
  expect(await send(tusk.url, 'PUT', '/folder/key', { headers: { host }, body: 'x', key })).toMatchObject({
    status: 200,
  });
  for (const other of [`${bucket}.S3.Example.com:30600`, `${bucket}.other.example.com`]) {
    const answer = await send(tusk.url, 'GET', '/folder/key', { headers: { host: other }, key });
    expect(answer, other).toMatchObject({ status: 200, text: 'x' });
  }
  expect((await send(tusk.url, 'GET', '/', { headers: { host } })).text).toContain('<Key>folder/key</Key>');
  expect(await send(tusk.url, 'GET', `/${bucket}/folder/key`)).toMatchObject({ status: 200, text: 'x' });
  const service = await send(tusk.url, 'GET', '/', { headers: { host: 's3.example.com' } });
  expect(service.text).toContain('<ListAllMyBucketsResult');
});

it('TUSK_DOMAINS: version 2 signs the bucket of the host, and an upload says where its object is', async () => {
  const tusk = await start({ TUSK_DOMAINS: 's3.example.com' });
  const bucket = await freshBucket(tusk);
  const host = `${bucket}.s3.example.com`;
  const key = keyOf('any-key');
  const signed = await sign(
    { method: 'PUT', path: `/${bucket}/k`, query: [], headers: { host }, body: Buffer.from('x') },
    'v2',
    { key, at: new Date() },
  );
  const headers = { ...signed.headers, host };
  expect(await send(tusk.url, 'PUT', '/k', { headers, body: 'x' })).toMatchObject({ status: 200 });
  expect(await send(tusk.url, 'PUT', `/${bucket}/k`, { headers, body: 'x' })).toMatchObject({ status: 403 });
  const form =
    '--X\r\nContent-Disposition: form-data; name="key"\r\n\r\na b\r\n--X\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--X--';
  const type = { 'content-type': 'multipart/form-data; boundary=X' };
  const posted = await send(tusk.url, 'POST', '/', { headers: { host, ...type }, body: form });
  expect(posted).toMatchObject({ status: 204 });
  expect(posted.headers['location']).toBe(`http://${host}/a%20b`);
});

it('TUSK_LOG_SAMPLE: few requests are logged, and what goes wrong on this side always', async () => {
  const key = keyOf(ROOT_TOKEN);
  // With a pachd that can be taken away.
  const tusk = await startTusk({ auth: true, env: { TUSK_LOG_SAMPLE: '0.000001' } });
  running = tusk;
  const bucket = await freshBucket(tusk, key);
  await send(tusk.url, 'PUT', `/${bucket}/key`, { key, body: 'x' });
  expect((await send(tusk.url, 'GET', `/${bucket}/key`, { key })).text).toBe('x');
  await tusk.devpachd?.program.stop('SIGKILL');
  expect((await send(tusk.url, 'GET', '/master.another.default/key', { key })).status).toBe(503);
  const lines = await eventually(
    'the fault is logged',
    () =>
      tusk.program
        .output()
        .split('\n')
        .filter((line) => line.includes('"msg":"request"')),
    (found) => found.length > 0,
  );
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ status: 503, sample: 1, operation: 'GetObject' }]);
});

it('TUSK_CORS_ORIGINS: a page of such an origin may ask, without credentials first, and see every answer', async () => {
  const tusk = await start({ TUSK_CORS_ORIGINS: 'https://app.example.com' });
  const bucket = await freshBucket(tusk);
  const origin = 'https://app.example.com';
  const asked = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' };
  const allowed = await send(tusk.url, 'OPTIONS', `/${bucket}/k`, { headers: asked });
  expect(allowed).toMatchObject({ status: 200, text: '' });
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-headers': 'authorization',
  });
  const refused = await send(tusk.url, 'OPTIONS', `/${bucket}/k`, { headers: { ...asked, origin: 'https://b.org' } });
  expect(refused).toMatchObject({ status: 403, code: 'AccessForbidden' });
  for (const [path, status] of [
    [`/${bucket}`, 200],
    [`/${bucket}/none`, 404],
    ['/b?session', 501],
  ] as const) {
    const answer = await send(tusk.url, 'GET', path, { headers: { origin } });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
  }
  const other = await send(tusk.url, 'GET', `/${bucket}`, { headers: { origin: 'https://b.org' } });
  expect(other.headers).not.toHaveProperty('access-control-allow-origin');
});

it('TUSK_REGION: a signature for another region is refused, with the region that is right', async () => {
  const tusk = await start({ TUSK_REGION: 'eu-central-1' });
  const key = keyOf('any-key');
  expect(await send(tusk.url, 'GET', '/', { key, region: 'eu-central-1' })).toMatchObject({ status: 200 });
  const refused = await send(tusk.url, 'GET', '/', { key, region: 'us-east-1' });
  expect(refused).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' });
  expect(refused.text).toContain('<Region>eu-central-1</Region>');
});

it('TUSK_ACCESS_LOG: a line for each request, or none', async () => {
  const tusk = await start({ TUSK_ACCESS_LOG: 'off' });
  await send(tusk.url, 'GET', '/master.foo.bar/quiet');
  await tusk.stop();
  expect(tusk.program.output()).not.toContain('quiet');

  const loud = await start({ TUSK_ACCESS_LOG: 'on' });
  const answer = await send(loud.url, 'GET', '/master.foo.bar/loud');
  await loud.stop();
  const lines = loud.program.output().split('\n');
  const [line = ''] = lines.filter((text) => text.includes(answer.headers['x-amz-request-id'] ?? '-'));
  expect(JSON.parse(line)).toMatchObject({
    operation: 'GetObject',
    status: 404,
    code: 'NoSuchKey',
    path: '/master.foo.bar/loud',
  });
});

it.each(['0', '1000'])('TUSK_HEAD_TTL_MS=%s: a commit from outside is seen', async (ttl) => {
  const tusk = await start({ TUSK_HEAD_TTL_MS: ttl });
  const bucket = await freshBucket(tusk);
  const path = `/${bucket}/outside.txt`;
  expect(await send(tusk.url, 'GET', path)).toMatchObject({ status: 404 });
  const commit = await tusk.pachd.putFiles(repoOf(bucket), { 'outside.txt': 'from outside' });
  const ask = () => send(tusk.url, 'GET', path);
  // With 0 pachd is asked in every request, so the first one must see it.
  const seen = ttl === '0' ? await ask() : await eventually('it is seen', ask, ({ status }) => status === 200);
  expect(seen).toMatchObject({ status: 200, text: 'from outside' });
  const { headers } = await send(tusk.url, 'GET', path, { query: [['versionId', commit]] });
  expect(headers['x-amz-version-id']).toBe(commit);
});

it('a commit that failed is skipped, and the branch stays readable and writable', async () => {
  const tusk = await start({ TUSK_HEAD_TTL_MS: '0' });
  const bucket = await freshBucket(tusk);
  await send(tusk.url, 'PUT', `/${bucket}/file`, { body: 'kept' });
  // A file below a file: pachd finds it only when it finishes the commit, and drops the whole commit.
  await tusk.pachd.putFiles(repoOf(bucket), { 'file/below': 'x' }).catch(() => undefined);
  expect(await send(tusk.url, 'GET', `/${bucket}/file`)).toMatchObject({ status: 200, text: 'kept' });
  expect(await send(tusk.url, 'PUT', `/${bucket}/next`, { body: 'next' })).toMatchObject({ status: 200 });
  expect((await send(tusk.url, 'GET', `/${bucket}`)).text.match(/<Key>[^<]*/g)).toEqual(['<Key>file', '<Key>next']);
});
