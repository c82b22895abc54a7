// Which version of an object was read is said, so that a client can go on reading just that one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { type Answer, type SendOptions, send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';
import { uploadsOf } from '../support/uploads.ts';

let tusk: Tusk;
let bucket: string;

const ask = (method: string, key: string, options: SendOptions = {}): Promise<Answer> =>
  send(tusk.url, method, `/${bucket}${key}`, options);
const source = () => ({ headers: { 'x-amz-copy-source': `/${bucket}/key` } });

beforeAll(async () => {
  tusk = await startTusk();
  bucket = await freshBucket(tusk);
});
afterAll(async () => {
  await tusk?.stop();
});

describe.each(['x-amz-version-id', 'x-amz-copy-source-version-id'])('%s', (field) => {
  const reads: Readonly<Record<string, () => Promise<Answer>>> =
    field === 'x-amz-version-id'
      ? {
          GetObject: () => ask('GET', '/key'),
          HeadObject: () => ask('HEAD', '/key'),
          'GetObject of a range': () => ask('GET', '/key', { headers: { range: 'bytes=0-1' } }),
          GetObjectAttributes: () =>
            ask('GET', '/key', { query: [['attributes', null]], headers: { 'x-amz-object-attributes': 'ETag' } }),
        }
      : {
          CopyObject: () => ask('PUT', '/copy', source()),
          async UploadPartCopy() {
            const id = await uploadsOf(tusk.url, bucket).create('parts');
            const query = [['partNumber', '1'] as const, ['uploadId', id] as const];
            return ask('PUT', '/parts', { ...source(), query });
          },
        };

  it.each(Object.entries(reads))(
    'of %s names what was read, and what is written later changes nothing of it',
    async (_, read) => {
      await ask('PUT', '/key', { body: 'first' });
      await ask('PUT', '/other', { body: 'of the next commit' });
      const version = (await read()).headers[field] ?? '';
      await ask('PUT', '/key', { body: 'second' });
      const again = await ask('GET', '/key', { query: [['versionId', version]] });
      expect(again).toMatchObject({ status: 200, text: 'first', headers: { 'x-amz-version-id': version } });
    },
  );
});

it('a list of versions goes on behind a version only with its key', async () => {
  const { headers } = await ask('PUT', '/key', { body: 'first' });
  const behind = ['version-id-marker', headers['x-amz-version-id'] ?? ''] as const;
  const list = (...more: readonly (readonly [string, string])[]) =>
    ask('GET', '', { query: [['versions', ''], ...more] });
  expect(await list(behind)).toMatchObject({ status: 400, code: 'InvalidArgument' });
  expect(await list(behind, ['key-marker', 'key'])).toMatchObject({ status: 200 });
});
