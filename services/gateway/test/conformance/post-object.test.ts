// Uploads by the form of a page. boto3 makes such forms in python-clients.test.ts.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { signedForm } from '../support/forms.ts';
import { type Answer, send, sendAndHangUp } from '../support/http.ts';
import { keyOf } from '../support/signature.ts';
import { waitForRequests } from '../support/status.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { element } from '../support/uploads.ts';

const ROOT = keyOf(ROOT_TOKEN);

interface Upload {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: string | Buffer;
  readonly filename?: string;
}

function bodyOf({ fields, file, filename = 'page.txt' }: Upload): Buffer {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--XX\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: text/plain\r\n\r\n`;
  return Buffer.concat([
    Buffer.from(parts.join('') + head),
    Buffer.from(file as Buffer),
    Buffer.from('\r\n--XX--\r\n'),
  ]);
}

/** Stands for the bucket, whose name is known only when the gateway runs. */
const OWN_BUCKET = Symbol('bucket');

function onOwnBucket(...more: readonly unknown[]): readonly unknown[] {
  return [OWN_BUCKET, ['starts-with', '$key', ''], ...more];
}

let tusk: Tusk;
let open: Tusk;
let bucket: string;
let openBucket: string;

beforeAll(async () => {
  [tusk, open] = await Promise.all([startTusk({ auth: true }), startTusk()]);
  bucket = await freshBucket(tusk, ROOT);
  openBucket = await freshBucket(open);
});
afterAll(async () => {
  await Promise.all([tusk?.stop(), open?.stop()]);
});

const post = (upload: Upload, at: { readonly url: string; readonly bucket: string } = { url: tusk.url, bucket }) =>
  send(at.url, 'POST', `/${at.bucket}`, {
    headers: { 'content-type': 'multipart/form-data; boundary=XX' },
    body: bodyOf(upload),
  });
const read = (key: string): Promise<Answer> => send(tusk.url, 'GET', `/${bucket}/${key}`, { key: ROOT });
const postOpen = (upload: Upload) => post(upload, { url: open.url, bucket: openBucket });
const conditionsOn = (...more: readonly unknown[]) => [{ bucket }, ['starts-with', '$key', ''], ...more];

describe('a signed form', () => {
  it('stores its file, under the name that the page gives it', async () => {
    const fields = signedForm(ROOT_TOKEN, { key: 'up/${filename}' }, conditionsOn());
    const answer = await post({ fields, file: 'from a page', filename: 'C:\\files\\a b.txt' });
    expect(answer).toMatchObject({ status: 204, text: '' });
    const stored = await read('up/a%20b.txt');
    expect(stored).toMatchObject({ status: 200, text: 'from a page' });
    expect(answer.headers['etag']).toBe(stored.headers['etag']);
    expect(answer.headers['location']).toBe(`${tusk.url}/${bucket}/up/a%20b.txt`);
  });

  it('of 3 MB comes back byte for byte', async () => {
    const file = Buffer.alloc(3_000_000, '\r\n--X\r\n-');
    expect(await post({ fields: signedForm(ROOT_TOKEN, { key: 'large' }, conditionsOn()), file })).toMatchObject({
      status: 204,
    });
    expect((await read('large')).body.equals(file)).toBe(true);
  });

  it('says how it is to be answered', async () => {
    const status = (value: string) =>
      post({
        fields: signedForm(
          ROOT_TOKEN,
          { key: 'answer', success_action_status: value },
          conditionsOn({ success_action_status: value }),
        ),
        file: 'x',
      });
    const made = await status('201');
    expect(made).toMatchObject({ status: 201 });
    expect([element(made.text, 'Bucket'), element(made.text, 'Key')]).toEqual([bucket, 'answer']);
    expect(element(made.text, 'ETag')).toBe(made.headers['etag']);
    expect(await status('200')).toMatchObject({ status: 200, text: '' });
    expect(await status('404')).toMatchObject({ status: 204 });
    const redirect = (url: string) =>
      post({
        fields: signedForm(
          ROOT_TOKEN,
          { key: 'answer', success_action_redirect: url },
          conditionsOn(['starts-with', '$success_action_redirect', '']),
        ),
        file: 'x',
      });
    const away = await redirect('https://app.example.com/done?page=1');
    expect(away).toMatchObject({ status: 303 });
    const target = new URL(away.headers['location'] ?? '');
    expect(target.href).toMatch(/^https:\/\/app\.example\.com\/done\?page=1&bucket=/);
    expect(Object.fromEntries(target.searchParams)).toEqual({
      page: '1',
      bucket,
      key: 'answer',
      etag: away.headers['etag'],
    });
    expect(await redirect('javascript:alert(1)')).toMatchObject({ status: 204 });
  });

  it.each<[string, Readonly<Record<string, string>>, readonly unknown[], string, number, string]>([
    [
      'in another bucket than its policy has',
      { key: 'no' },
      [{ bucket: 'other' }, { key: 'no' }],
      'x',
      403,
      'AccessDenied',
    ],
    ['whose policy does not name the bucket', { key: 'no' }, [{ key: 'no' }], 'x', 403, 'AccessDenied'],
    [
      'with a field that its policy does not name',
      { key: 'no', acl: 'private' },
      onOwnBucket(),
      'x',
      403,
      'AccessDenied',
    ],
    ['with a larger file', { key: 'no' }, onOwnBucket(['content-length-range', 0, 3]), 'four', 400, 'EntityTooLarge'],
    ['with a smaller file', { key: 'no' }, onOwnBucket(['content-length-range', 5, 9]), 'four', 400, 'EntityTooSmall'],
    ['without a key', {}, onOwnBucket(), 'x', 400, 'InvalidArgument'],
    ['with a key that is no path', { key: 'a//b' }, onOwnBucket(), 'x', 400, 'InvalidFilePath'],
    [
      'with the checksum of another file',
      { key: 'no', 'x-amz-checksum-crc32': 'AAAAAA==' },
      onOwnBucket(['starts-with', '$x-amz-checksum-crc32', '']),
      'x',
      400,
      'BadDigest',
    ],
    [
      'with a key for its encryption',
      { key: 'no', 'x-amz-server-side-encryption-customer-key': 'k' },
      onOwnBucket(['starts-with', '$x-amz-server-side-encryption-customer-key', '']),
      'x',
      400,
      'InvalidArgument',
    ],
  ])('%s stores nothing', async (_, fields, conditions, file, status, code) => {
    const own = conditions.map((condition) => (condition === OWN_BUCKET ? { bucket } : condition));
    expect(await post({ fields: signedForm(ROOT_TOKEN, fields, own), file })).toMatchObject({ status, code });
    expect(await read('no')).toMatchObject({ status: 404 });
  });

  it('after its end, or changed, or of somebody whom nobody knows, stores nothing', async () => {
    const conditions = conditionsOn();
    const late = signedForm(ROOT_TOKEN, { key: 'no' }, conditions, -1_000);
    expect(await post({ fields: late, file: 'x' })).toMatchObject({ status: 403, code: 'AccessDenied' });
    const signed = signedForm(ROOT_TOKEN, { key: 'no' }, conditions);
    const other = Buffer.from(
      Buffer.from(signed['policy'] ?? '', 'base64')
        .toString()
        .replace('starts-with', 'Starts-With'),
    );
    const changed = { ...signed, policy: other.toString('base64') };
    expect(await post({ fields: changed, file: 'x' })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    const nobody = signedForm('0'.repeat(32), { key: 'no' }, conditions);
    expect(await post({ fields: nobody, file: 'x' })).toMatchObject({ status: 403, code: 'InvalidAccessKeyId' });
    const { 'x-amz-signature': _, ...rest } = signed;
    expect(await post({ fields: rest, file: 'x' })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(await read('no')).toMatchObject({ status: 404 });
  });

  it('may be signed by version 2', async () => {
    const expiration = new Date(Date.now() + 60_000).toISOString();
    const policy = Buffer.from(JSON.stringify({ expiration, conditions: [{ bucket }, { key: 'two' }] })).toString(
      'base64',
    );
    const signature = createHmac('sha1', ROOT_TOKEN).update(policy).digest('base64');
    const fields = { key: 'two', AWSAccessKeyId: ROOT_TOKEN, policy, signature };
    expect(await post({ fields, file: 'old' })).toMatchObject({ status: 204 });
    expect(await read('two')).toMatchObject({ text: 'old' });
    const wrong = { ...fields, signature: Buffer.alloc(20).toString('base64') };
    expect(await post({ fields: wrong, file: 'x' })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
  });
});

describe('a form that is not signed', () => {
  it('stores its file where auth is off', async () => {
    expect(await postOpen({ fields: { Key: 'plain' }, file: 'x' })).toMatchObject({ status: 204 });
    expect(await send(open.url, 'GET', `/${openBucket}/plain`)).toMatchObject({ status: 200, text: 'x' });
  });

  it('is denied where it is on', async () => {
    expect(await post({ fields: { key: 'no' }, file: 'x' })).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  it('that is no form is refused', async () => {
    const answer = await send(open.url, 'POST', `/${openBucket}`, {
      body: 'x',
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer).toMatchObject({ status: 412, code: 'PreconditionFailed' });
  });

  it('that breaks off behind its file stores nothing', async () => {
    const whole = bodyOf({ fields: { key: 'cut' }, file: 'all of it' }).toString();
    const head = `POST /${openBucket} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=XX\r\n`;
    await sendAndHangUp(open.url, `${head}Content-Length: ${whole.length + 9}\r\n\r\n${whole}`);
    await waitForRequests(open, 0);
    expect(await send(open.url, 'GET', `/${openBucket}/cut`)).toMatchObject({ status: 404 });
  });

  it('that ends in its file stores nothing', async () => {
    const whole = bodyOf({ fields: { key: 'half' }, file: 'half of it' });
    const answer = await send(open.url, 'POST', `/${openBucket}`, {
      headers: { 'content-type': 'multipart/form-data; boundary=XX' },
      body: whole.subarray(0, whole.length - 14),
    });
    expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' });
    expect(await send(open.url, 'GET', `/${openBucket}/half`)).toMatchObject({ status: 404 });
  });
});
