// A page of another origin, in a real browser.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBucketName } from '../support/buckets.ts';
import { type Page, startChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { signedForm } from '../support/forms.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';

const LOOK = { width: 800, height: 600, scheme: 'light' } as const;
const BUCKET = freshBucketName('page');

let site: Server;
let otherSite: Server;
let tusk: Tusk;
let browser: Page;
let client: S3Client;

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const linkTo = (command: GetObjectCommand | PutObjectCommand): Promise<string> =>
  getSignedUrl(client, command, { expiresIn: 60 });

async function startSite(): Promise<Server> {
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html><p>a page'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

beforeAll(async () => {
  [site, otherSite] = await Promise.all([startSite(), startSite()]);
  tusk = await startTusk({ auth: true, env: { TUSK_CORS_ORIGINS: originOf(site) } });
  browser = await startChromium();
  client = new S3Client({
    endpoint: tusk.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: ROOT_TOKEN, secretAccessKey: ROOT_TOKEN },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  await browser?.close();
  client?.destroy();
  await tusk?.stop();
  site?.close();
  otherSite?.close();
});

it('puts and gets by links, and sees ETags and errors', async () => {
  await browser.open(originOf(site), LOOK);
  const [put, get, none] = await Promise.all([
    linkTo(new PutObjectCommand({ Bucket: BUCKET, Key: 'from a page.txt' })),
    linkTo(new GetObjectCommand({ Bucket: BUCKET, Key: 'from a page.txt' })),
    linkTo(new GetObjectCommand({ Bucket: BUCKET, Key: 'none' })),
  ]);
  const script = `(async () => {
    const stored = await fetch(${JSON.stringify(put)}, { method: 'PUT', body: 'hello', headers: { 'x-amz-meta-a': 'b' } }).catch(String);
    const plain = await fetch(${JSON.stringify(put)}, { method: 'PUT', body: 'hello' });
    const read = await fetch(${JSON.stringify(get)}, { headers: { range: 'bytes=1-' } });
    const missing = await fetch(${JSON.stringify(none)});
    return {
      unsigned: stored.status,
      put: [plain.status, plain.headers.get('etag')],
      get: [read.status, await read.text(), read.headers.get('content-range')],
      missing: [missing.status, (await missing.text()).includes('NoSuchKey')],
    };
  })()`;
  const seen = await browser.value<Record<string, unknown>>(script);
  expect(seen).toEqual({
    // A header that is not signed is refused, and the page is told so.
    unsigned: 403,
    put: [200, expect.stringMatching(/^"[0-9a-f]{32}-1"$/)],
    get: [206, 'ello', 'bytes 1-4/5'],
    missing: [404, true],
  });
});

it('of another origin sees nothing', async () => {
  await browser.open(originOf(otherSite), LOOK);
  const link = await linkTo(new GetObjectCommand({ Bucket: BUCKET, Key: 'from a page.txt' }));
  const seen = await browser.value<string>(
    `fetch(${JSON.stringify(link)}).then((answer) => answer.text(), () => 'refused')`,
  );
  expect(seen).toBe('refused');
});

it.each([
  { filename: 'a "b" c.txt', key: 'up/a "b" c.txt' },
  { filename: 'über us.txt', key: undefined },
])(
  'sends a form with the file $filename, and comes back to where its policy says if it is stored',
  async ({ filename, key }) => {
    await browser.open(originOf(site), LOOK);
    const back = `${originOf(site)}/done`;
    const fields = signedForm(ROOT_TOKEN, { key: 'up/${filename}', success_action_redirect: back }, [
      { bucket: BUCKET },
      ['starts-with', '$key', 'up/'],
      { success_action_redirect: back },
      ['content-length-range', 1, 100],
    ]);
    await browser.value(`(() => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', enctype: 'multipart/form-data', action: ${JSON.stringify(`${tusk.url}/${BUCKET}`)} });
    for (const [name, value] of Object.entries(${JSON.stringify(fields)})) {
      form.append(Object.assign(document.createElement('input'), { name, value }));
    }
    const file = Object.assign(document.createElement('input'), { type: 'file', name: 'file' });
    const transfer = new DataTransfer();
    transfer.items.add(new File(['by a form'], ${JSON.stringify(filename)}));
    file.files = transfer.files;
    form.append(file);
    document.body.append(form);
    setTimeout(() => form.submit());
  })()`);
    const where = () => browser.value<string>('location.href').catch(() => '');
    const isThere = (url: string) => url.startsWith(back) || url.startsWith(tusk.url);
    const href = new URL(await eventually('the browser has gone where it is sent', where, isThere));
    if (key === undefined) {
      expect(await browser.value<string>('document.documentElement.textContent')).toContain('InvalidFilePath');
      return;
    }
    expect(href.pathname).toBe('/done');
    expect(href.searchParams.get('key')).toBe(key);
    const stored = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(await stored.Body?.transformToString()).toBe('by a form');
    expect(href.searchParams.get('etag')).toBe(stored.ETag);
  },
);
