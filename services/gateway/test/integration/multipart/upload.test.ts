// What an upload is made of, what its answers say, and what is refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../../support/buckets.ts';
import { sampleBytes } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { element, elements, md5Of, PART_BYTES, uploadsOf } from '../../support/uploads.ts';
import { startControlled } from './controlled.ts';

let tusk: Tusk;
let bucket: string;
let uploads: ReturnType<typeof uploadsOf>;

beforeAll(async () => {
  tusk = await startTusk();
});
afterAll(async () => {
  await tusk?.stop();
});

async function bucketOfOwn(): Promise<void> {
  bucket = await freshBucket(tusk);
  uploads = uploadsOf(tusk.url, bucket);
}

const one = sampleBytes(PART_BYTES, 'one');
const two = sampleBytes(PART_BYTES, 'two');
const noSuchUpload = { status: 404, code: 'NoSuchUpload' };

describe('an upload', () => {
  beforeAll(bucketOfOwn);

  it('is the parts that are named, in the order of their numbers, each as it was sent last', async () => {
    const id = await uploads.create('out of order');
    const end = await uploads.part('out of order', id, 9_999, 'the end');
    await uploads.part('out of order', id, 10_000, 'not named');
    await uploads.part('out of order', id, 17, one);
    const second = await uploads.part('out of order', id, 17, two);
    const first = await uploads.part('out of order', id, 3, one);
    expect(await uploads.complete('out of order', id, [first, second, end])).toMatchObject({ status: 200 });
    const { body } = await uploads.ask('GET', 'out of order');
    expect(body.equals(Buffer.concat([one, two, Buffer.from('the end')]))).toBe(true);
  });

  it('is one commit', async () => {
    const before = await tusk.pachd.commitCount(repoOf(bucket));
    const id = await uploads.create('one commit');
    const parts = [await uploads.part('one commit', id, 1, one), await uploads.part('one commit', id, 2, two)];
    expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(before);
    const done = await uploads.complete('one commit', id, parts);
    expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(before + 1);
    expect((await tusk.pachd.headOf(repoOf(bucket))).commit?.id).toBe(done.headers['x-amz-version-id']);
  });

  it('goes on after a completion that was refused, with other parts too', async () => {
    const id = await uploads.create('again');
    const [first, last] = [await uploads.part('again', id, 1, one), await uploads.part('again', id, 2, 'last')];
    const small = await uploads.part('again', id, 3, 'small');
    const complete = (...parts: Parameters<typeof uploads.complete>[2][number][]) =>
      uploads.complete('again', id, parts);
    expect(await complete(first, { ...last, etag: `"${md5Of('other')}"` })).toMatchObject({ code: 'InvalidPart' });
    expect(await complete(first, { number: 4, etag: last.etag })).toMatchObject({ code: 'InvalidPart' });
    expect(await complete(last, first)).toMatchObject({ code: 'InvalidPartOrder' });
    expect(await complete(first, last, small)).toMatchObject({ code: 'EntityTooSmall' });
    expect(elements((await uploads.listParts('again', id)).text, 'PartNumber')).toEqual(['1', '2', '3']);
    expect(await complete(first, small)).toMatchObject({ status: 200 });
    expect((await uploads.ask('GET', 'again')).body.equals(Buffer.concat([one, Buffer.from('small')]))).toBe(true);
  });

  it('is not found under another key or in another bucket, whatever is asked of it', async () => {
    const id = await uploads.create('mine');
    const part = await uploads.part('mine', id, 1, 'x');
    const elsewhere = uploadsOf(tusk.url, await freshBucket(tusk));
    for (const [of, key] of [[uploads, 'mine2'] as const, [elsewhere, 'mine'] as const]) {
      expect(await of.putPart(key, id, 1, 'y')).toMatchObject(noSuchUpload);
      expect(await of.listParts(key, id)).toMatchObject(noSuchUpload);
      expect(await of.complete(key, id, [part])).toMatchObject(noSuchUpload);
      expect(await of.abort(key, id)).toMatchObject(noSuchUpload);
    }
    expect(await uploads.complete('mine', id, [part])).toMatchObject({ status: 200 });
    expect(await uploads.complete('mine2', id, [part])).toMatchObject(noSuchUpload);
    expect(await elsewhere.complete('mine', id, [part])).toMatchObject(noSuchUpload);
  });

  it('is over when it was completed or aborted', async () => {
    for (const end of ['complete', 'abort'] as const) {
      const id = await uploads.create('over');
      const part = await uploads.part('over', id, 1, end);
      if (end === 'complete') expect(await uploads.complete('over', id, [part])).toMatchObject({ status: 200 });
      else expect(await uploads.abort('over', id)).toMatchObject({ status: 204 });
      expect(await uploads.putPart('over', id, 2, 'y')).toMatchObject(noSuchUpload);
      expect(await uploads.listParts('over', id)).toMatchObject(noSuchUpload);
      expect(await uploads.abort('over', id)).toMatchObject(noSuchUpload);
    }
    expect(await uploads.ask('GET', 'over')).toMatchObject({ text: 'complete' });
    expect(elements((await uploads.listUploads(['prefix', 'over'])).text, 'UploadId')).toEqual([]);
  });

  it.each(['', 'no', `${'0'.repeat(9)}${'A'.repeat(24)}`, 'x'.repeat(8_000), '../../etc', '\u00e9'])(
    'that nobody has begun is NoSuchUpload or InvalidArgument: %s',
    async (id) => {
      const refused = { status: id === '' ? 400 : 404, code: id === '' ? 'InvalidArgument' : 'NoSuchUpload' };
      expect(await uploads.putPart('key', id, 1, 'x')).toMatchObject(refused);
      expect(await uploads.listParts('key', id)).toMatchObject(refused);
      expect(await uploads.abort('key', id)).toMatchObject(refused);
      expect(await uploads.complete('key', id, [{ number: 1, etag: '"x"' }])).toMatchObject(refused);
    },
  );
});

describe('the ETag', () => {
  beforeAll(bucketOfOwn);

  it('of a part is its MD5, the same in every answer', async () => {
    const id = await uploads.create('parts');
    const part = await uploads.part('parts', id, 1, one);
    expect(part.etag).toBe(`"${md5Of(one)}"`);
    expect(elements((await uploads.listParts('parts', id)).text, 'ETag')).toEqual([part.etag]);
    expect(await uploads.abort('parts', id)).toMatchObject({ status: 204 });
  });

  it.each([
    ['a small part', [Buffer.from('small')]],
    ['two parts', [one, Buffer.from('last')]],
  ])('of an object of %s is the same in every answer, and conditions go by it', async (key, bodies) => {
    const id = await uploads.create(key);
    const parts = await Promise.all(bodies.map((body, at) => uploads.part(key, id, at + 1, body)));
    const etag = element((await uploads.complete(key, id, parts)).text, 'ETag');
    expect(etag).toMatch(/^"[0-9a-f]{32}-1"$/);
    expect((await uploads.ask('HEAD', key)).headers['etag']).toBe(etag);
    expect((await uploads.ask('GET', key, { headers: { 'if-match': etag } })).headers['etag']).toBe(etag);
    expect(await uploads.ask('GET', key, { headers: { 'if-none-match': etag } })).toMatchObject({ status: 304 });
    expect(await uploads.ask('GET', key, { headers: { 'if-match': '"other-1"' } })).toMatchObject({ status: 412 });
    for (const query of [[['list-type', '2']], []] as const) {
      const { text } = await uploads.ask('GET', '', { query: [...query, ['prefix', key]] });
      expect(elements(text, 'ETag')).toEqual([etag]);
    }
    const replaced = await uploads.ask('PUT', key, { body: 'new', headers: { 'if-match': etag } });
    expect(replaced).toMatchObject({ status: 200 });
    expect(await uploads.ask('PUT', key, { body: 'newer', headers: { 'if-match': etag } })).toMatchObject({
      status: 412,
    });
  });

  it('is the same for who reads the object before its commit is finished', async () => {
    const pachd = await startControlled('--latency', '1500');
    const slow = await startTusk({ pachd: pachd.address });
    try {
      const bucket = await freshBucket(slow);
      const ofSlow = uploadsOf(slow.url, bucket);
      await ofSlow.ask('PUT', 'other', { body: 'other' });
      const id = await ofSlow.create('key');
      const parts = [await ofSlow.part('key', id, 1, one), await ofSlow.part('key', id, 2, 'end')];
      const completing = ofSlow.complete('key', id, parts);
      const early = await eventually(
        'the object is there',
        () => ofSlow.ask('GET', 'key'),
        ({ status }) => status === 200,
      );
      const done = await completing;
      expect(early.headers['etag']).toBe(element(done.text, 'ETag'));
      expect(early.body.equals(Buffer.concat([one, Buffer.from('end')]))).toBe(true);
      expect((await ofSlow.ask('HEAD', 'key')).headers['etag']).toBe(early.headers['etag']);
    } finally {
      await slow.stop();
      await pachd.stop();
    }
  });

  it('and If-None-Match are looked at when an upload is completed, which may be done again without them', async () => {
    const { headers } = await uploads.ask('PUT', 'there', { body: 'before' });
    const id = await uploads.create('there');
    const parts = [await uploads.part('there', id, 1, 'after')];
    for (const condition of [{ 'if-none-match': '*' }, { 'if-match': '"other-1"' }]) {
      expect(await uploads.complete('there', id, parts, condition)).toMatchObject({ status: 412 });
    }
    expect(await uploads.ask('GET', 'there')).toMatchObject({ text: 'before' });
    const done = await uploads.complete('there', id, parts, { 'if-match': headers['etag'] ?? '' });
    expect(done).toMatchObject({ status: 200 });
    expect(await uploads.ask('GET', 'there')).toMatchObject({ text: 'after' });
  });
});

describe('lists', () => {
  beforeAll(bucketOfOwn);

  it('of parts come in pages', async () => {
    const id = await uploads.create('paged');
    const numbers = [1, 2, 5, 1_000, 10_000];
    for (const number of numbers) await uploads.part('paged', id, number, `part ${number}`);
    const seen: string[] = [];
    let marker = '0';
    for (let page = 0; page < 3; page++) {
      const { text } = await uploads.listParts('paged', id, ['max-parts', '2'], ['part-number-marker', marker]);
      expect(element(text, 'PartNumberMarker')).toBe(marker);
      expect(element(text, 'IsTruncated')).toBe(String(page < 2));
      seen.push(...elements(text, 'PartNumber'));
      marker = element(text, 'NextPartNumberMarker');
    }
    expect(seen.map(Number)).toEqual(numbers);
  });

  it('of uploads come in pages, also when each page is aborted before the next is asked for', async () => {
    const keys = ['list/a', 'list/b', 'list/b', 'list/b', 'list/c'];
    const begun: string[] = [];
    for (const key of keys) begun.push(await uploads.create(key));
    for (const clean of [false, true]) {
      const seen: string[] = [];
      let [key, id] = ['', ''];
      do {
        const more = key === '' ? [] : ([['key-marker', key] as const, ['upload-id-marker', id] as const] as const);
        const { text } = await uploads.listUploads(['prefix', 'list/'], ['max-uploads', '1'], ...more);
        seen.push(...elements(text, 'UploadId'));
        [key, id] = [element(text, 'NextKeyMarker'), element(text, 'NextUploadIdMarker')];
        if (clean) await uploads.abort(elements(text, 'Key')[0] ?? '', seen.at(-1) ?? '');
      } while (key !== '');
      // Of one key in the order of their beginning.
      expect(seen).toEqual(begun);
    }
    expect(elements((await uploads.listUploads(['prefix', 'list/'])).text, 'UploadId')).toEqual([]);
  });
});
