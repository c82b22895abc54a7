// Who may do what: with auth on the Pachyderm token is the key, and pachd's roles decide.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, freshBucketName, repoOf } from '../support/buckets.ts';
import { type Answer, type SendOptions, send } from '../support/http.ts';
import { type Key, keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';

const ROOT = keyOf(ROOT_TOKEN);
const OK = { status: 200, code: '' };
const denied = (code: string) => ({ status: 403, code });

describe('with auth on', () => {
  let tusk: Tusk;
  let reader: Key;
  let writer: Key;
  let stranger: Key;
  let bucket: string;

  const call = (method: string, path: string, key?: Key, options: SendOptions = {}): Promise<Answer> =>
    send(tusk.url, method, path, { ...options, key });

  beforeAll(async () => {
    tusk = await startTusk({ auth: true });
    reader = keyOf(await tusk.pachd.robotToken('reader'));
    writer = keyOf(await tusk.pachd.robotToken('writer'));
    stranger = keyOf(await tusk.pachd.robotToken('stranger'));
    bucket = await freshBucket(tusk, ROOT);
    await tusk.pachd.grant(repoOf(bucket), 'robot:reader', ['repoReader']);
    await tusk.pachd.grant(repoOf(bucket), 'robot:writer', ['repoWriter']);
    await call('PUT', `/${bucket}/key`, ROOT, { body: 'content' });
  });
  afterAll(async () => {
    await tusk?.stop();
  });

  it.each(['GET', 'PUT', 'DELETE'])('an unsigned %s is AccessDenied', async (method) => {
    expect(await call(method, `/${bucket}/key`)).toMatchObject(denied('AccessDenied'));
    expect(await call('GET', '/')).toMatchObject(denied('AccessDenied'));
  });

  it('a key that is no token is InvalidAccessKeyId', async () => {
    expect(await call('GET', `/${bucket}/key`, keyOf('0'.repeat(32)))).toMatchObject(denied('InvalidAccessKeyId'));
    const presigned = await call('GET', `/${bucket}/key`, keyOf('0'.repeat(32)), { signing: 'presign-v4' });
    expect(presigned).toMatchObject(denied('InvalidAccessKeyId'));
  });

  it.each(['v4', 'v4-unsigned-payload', 'presign-v4', 'v2-amzdate', 'presign-v2'] as const)(
    'a wrong secret is SignatureDoesNotMatch (%s)',
    async (signing) => {
      const wrong = { accessKey: ROOT_TOKEN, secretKey: 'not-the-token' };
      expect(await call('GET', `/${bucket}/key`, wrong, { signing })).toMatchObject(denied('SignatureDoesNotMatch'));
      expect(await call('GET', `/${bucket}/key`, ROOT, { signing })).toMatchObject({ ...OK, text: 'content' });
    },
  );

  it('a clock that is off by more than 15 minutes is RequestTimeTooSkewed', async () => {
    const at = new Date(Date.now() - 16 * 60_000);
    expect(await call('GET', `/${bucket}/key`, ROOT, { at })).toMatchObject(denied('RequestTimeTooSkewed'));
    const near = new Date(Date.now() - 10 * 60_000);
    expect(await call('GET', `/${bucket}/key`, ROOT, { at: near })).toMatchObject(OK);
  });

  it('any region in the scope is taken', async () => {
    expect(await call('GET', `/${bucket}/key`, ROOT, { region: 'eu-central-1' })).toMatchObject(OK);
  });

  it('a reader reads and lists, and is refused every write', async () => {
    expect(await call('GET', `/${bucket}/key`, reader)).toMatchObject({ ...OK, text: 'content' });
    expect(await call('GET', `/${bucket}`, reader)).toMatchObject(OK);
    expect(await call('HEAD', `/${bucket}`, reader)).toMatchObject(OK);
    const writes: readonly (readonly [string, string, SendOptions])[] = [
      ['PUT', `/${bucket}/new`, { body: 'x' }],
      ['DELETE', `/${bucket}/key`, {}],
      ['PUT', `/${bucket}/copy`, { headers: { 'x-amz-copy-source': `/${bucket}/key` } }],
      ['POST', `/${bucket}/parts`, { query: [['uploads', '']] }],
      ['DELETE', `/${bucket}`, {}],
    ];
    for (const [method, path, options] of writes) {
      expect(await call(method, path, reader, options), `${method} ${path}`).toMatchObject(denied('AccessDenied'));
    }
    expect(await call('GET', `/${bucket}/key`, reader)).toMatchObject({ ...OK, text: 'content' });
  });

  it('a delete of many keys without the right says so and deletes nothing', async () => {
    const body = '<Delete><Object><Key>key</Key></Object></Delete>';
    const answer = await call('POST', `/${bucket}`, reader, { query: [['delete', '']], body });
    expect(answer.text).toContain('<Code>AccessDenied</Code>');
    expect(answer.text).not.toContain('<Deleted>');
    expect(await call('GET', `/${bucket}/key`, reader)).toMatchObject(OK);
  });

  it('a writer writes', async () => {
    expect(await call('PUT', `/${bucket}/written`, writer, { body: 'by the writer' })).toMatchObject(OK);
    expect(await call('GET', `/${bucket}/written`, reader)).toMatchObject({ ...OK, text: 'by the writer' });
  });

  it('a principal without a role is AccessDenied, and learns of no bucket', async () => {
    expect(await call('GET', `/${bucket}/key`, stranger)).toMatchObject(denied('AccessDenied'));
    expect(await call('GET', `/${bucket}`, stranger)).toMatchObject(denied('AccessDenied'));
    expect(await call('HEAD', `/${bucket}`, stranger)).toMatchObject({ status: 403 });
    expect(await call('PUT', `/${bucket}/key`, stranger, { body: 'x' })).toMatchObject(denied('AccessDenied'));
    const missing = `/${freshBucketName()}/key`;
    expect(await call('GET', missing, stranger)).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  });

  it('ListBuckets shows what the principal may read, and nothing else', async () => {
    const other = await freshBucket(tusk, ROOT);
    const names = async (key: Key): Promise<readonly string[]> =>
      [...(await call('GET', '/', key)).text.matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name ?? '');
    expect(await names(ROOT)).toEqual(expect.arrayContaining([bucket, other]));
    expect(await names(reader)).toEqual([bucket]);
    expect(await names(writer)).toEqual([bucket]);
    expect(await names(stranger)).toEqual([]);
  });

  it('a copy needs the right to read its source', async () => {
    const secret = await freshBucket(tusk, ROOT);
    await call('PUT', `/${secret}/secret`, ROOT, { body: 'secret' });
    const headers = { 'x-amz-copy-source': `/${secret}/secret` };
    expect(await call('PUT', `/${bucket}/stolen`, writer, { headers })).toMatchObject(denied('AccessDenied'));
    expect(await call('GET', `/${bucket}/stolen`, writer)).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it("nobody joins another principal's upload without the right to write", async () => {
    const created = await call('POST', `/${bucket}/parts`, writer, { query: [['uploads', '']] });
    const uploadId = /<UploadId>([^<]*)</.exec(created.text)?.[1] ?? '';
    const query = [
      ['partNumber', '1'],
      ['uploadId', uploadId],
    ] as const;
    expect(await call('PUT', `/${bucket}/parts`, writer, { query, body: 'part' })).toMatchObject(OK);
    expect(await call('PUT', `/${bucket}/parts`, reader, { query, body: 'part' })).toMatchObject(
      denied('AccessDenied'),
    );
    expect(await call('PUT', `/${bucket}/parts`, stranger, { query, body: 'part' })).toMatchObject(
      denied('AccessDenied'),
    );
    const abort = await call('DELETE', `/${bucket}/parts`, stranger, { query: [['uploadId', uploadId]] });
    expect(abort).toMatchObject(denied('AccessDenied'));
  });
});

describe('with auth off', () => {
  let tusk: Tusk;
  beforeAll(async () => {
    tusk = await startTusk();
  });
  afterAll(async () => {
    await tusk?.stop();
  });

  it('no signature is needed', async () => {
    const bucket = await freshBucket(tusk);
    expect(await send(tusk.url, 'PUT', `/${bucket}/key`, { body: 'x' })).toMatchObject(OK);
    expect(await send(tusk.url, 'GET', `/${bucket}/key`)).toMatchObject({ ...OK, text: 'x' });
  });

  it.each(['v4', 'presign-v4', 'v2', 'presign-v2'] as const)(
    'a signature that is sent must be right (%s)',
    async (signing) => {
      const bucket = await freshBucket(tusk);
      const right = keyOf('whatever');
      const wrong = { accessKey: 'whatever', secretKey: 'something-else' };
      expect(await send(tusk.url, 'GET', `/${bucket}`, { key: right, signing })).toMatchObject(OK);
      const refused = await send(tusk.url, 'GET', `/${bucket}`, { key: wrong, signing });
      expect(refused).toMatchObject(denied('SignatureDoesNotMatch'));
    },
  );
});
