// What a bucket is told about itself and keeps, in the metadata of its branch.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, freshBucketName, repoOf } from '../support/buckets.ts';
import { type Answer, type SendOptions, send } from '../support/http.ts';
import { keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { elements } from '../support/uploads.ts';

let tusk: Tusk;
let bucket: string;

const ROOT = keyOf(ROOT_TOKEN);
const ask = (method: string, name: string, options: SendOptions = {}): Promise<Answer> =>
  send(tusk.url, method, `/${bucket}`, { key: ROOT, query: [[name, null]], ...options });

beforeAll(async () => {
  tusk = await startTusk({ auth: true });
  bucket = await freshBucket(tusk, ROOT);
});
afterAll(async () => {
  await tusk?.stop();
});

describe('tags of a bucket', () => {
  const tagging = (...tags: readonly (readonly [string, string])[]) => ({
    body: `<Tagging><TagSet>${tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join('')}</TagSet></Tagging>`,
  });

  it('are kept, replaced and taken away', async () => {
    expect(await ask('PUT', 'tagging', tagging(['a', 'b'], ['ä', '']))).toMatchObject({ status: 204 });
    const { status, text } = await ask('GET', 'tagging');
    expect({ status, keys: elements(text, 'Key'), values: elements(text, 'Value') }).toEqual({
      status: 200,
      keys: ['a', 'ä'],
      values: ['b', ''],
    });
    await ask('PUT', 'tagging', tagging(['c', 'd']));
    expect(elements((await ask('GET', 'tagging')).text, 'Key')).toEqual(['c']);
    expect(await ask('DELETE', 'tagging')).toMatchObject({ status: 204 });
    expect(await ask('GET', 'tagging')).toMatchObject({ status: 404, code: 'NoSuchTagSet' });
  });

  it('can be given to a bucket as it is made, and make none if they are wrong', async () => {
    const make = (name: string, key: string) => {
      const body = `<CreateBucketConfiguration><Tags><Tag><Key>${key}</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>`;
      return send(tusk.url, 'PUT', `/${name}`, { key: ROOT, body });
    };
    const [made, unmade] = [freshBucketName(), freshBucketName()];
    expect(await make(made, 'k')).toMatchObject({ status: 200 });
    const { text } = await send(tusk.url, 'GET', `/${made}`, { key: ROOT, query: [['tagging', null]] });
    expect(elements(text, 'Key')).toEqual(['k']);
    expect(await make(unmade, 'aws:k')).toMatchObject({ status: 400, code: 'InvalidTag' });
    expect(await send(tusk.url, 'HEAD', `/${unmade}`, { key: ROOT })).toMatchObject({ status: 404 });
  });

  it('are refused as S3 refuses them, and then stay what they were', async () => {
    await ask('PUT', 'tagging', tagging(['c', 'd']));
    expect(await ask('PUT', 'tagging', tagging(['', '']))).toMatchObject({ status: 400, code: 'InvalidTag' });
    expect(await ask('PUT', 'tagging', { body: '' })).toMatchObject({ status: 400, code: 'MalformedXML' });
    expect(elements((await ask('GET', 'tagging')).text, 'Key')).toEqual(['c']);
  });

  it('stand beside what others say of the branch', async () => {
    await ask('PUT', 'tagging', tagging(['c', 'd']));
    const { metadata } = await tusk.pachd.inspectBranch(repoOf(bucket));
    expect(metadata).toEqual({ 'tusk.s3.tagging': '[["c","d"]]' });
  });

  it('cannot be changed when the bucket has just gone', async () => {
    const gone = await freshBucket(tusk, ROOT);
    const change = (method: string, options: SendOptions = {}) =>
      send(tusk.url, method, `/${gone}`, { key: ROOT, query: [['tagging', null]], ...options });
    expect(await change('GET')).toMatchObject({ code: 'NoSuchTagSet' });
    await tusk.pachd.deleteRepo(repoOf(gone));
    expect(await change('PUT', tagging(['a', 'b']))).toMatchObject({ status: 404, code: 'NoSuchBucket' });
    expect(await change('DELETE')).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  });

  it('are written only by who may make branches', async () => {
    const reader = keyOf(await tusk.pachd.robotToken('tag-reader'));
    await tusk.pachd.grant(repoOf(bucket), 'robot:tag-reader', ['repoReader']);
    expect(await ask('PUT', 'tagging', { ...tagging(['e', 'f']), key: reader })).toMatchObject({ status: 403 });
    expect(await ask('GET', 'tagging', { key: reader })).toMatchObject({ status: 200 });
    expect(await ask('DELETE', 'tagging', { key: reader })).toMatchObject({ status: 403 });
  });
});

describe('a public access block', () => {
  const block = (...names: readonly string[]) => ({
    body: `<PublicAccessBlockConfiguration>${names.map((name) => `<${name}>true</${name}>`).join('')}</PublicAccessBlockConfiguration>`,
  });
  const acl = (value: string) => ({ key: ROOT, headers: { 'x-amz-acl': value } });

  it('is kept and taken away', async () => {
    expect(await ask('PUT', 'publicAccessBlock', block('BlockPublicAcls', 'RestrictPublicBuckets'))).toMatchObject({
      status: 200,
    });
    const { text } = await ask('GET', 'publicAccessBlock');
    expect(text).toMatch(
      /<BlockPublicAcls>true<.*<IgnorePublicAcls>false<.*<BlockPublicPolicy>false<.*<RestrictPublicBuckets>true</,
    );
    expect(await ask('DELETE', 'publicAccessBlock')).toMatchObject({ status: 204 });
    expect(await ask('GET', 'publicAccessBlock')).toMatchObject({
      status: 404,
      code: 'NoSuchPublicAccessBlockConfiguration',
    });
    expect(await ask('PUT', 'publicAccessBlock', { body: '<x/>' })).toMatchObject({
      status: 400,
      code: 'MalformedXML',
    });
  });

  it('refuses public access lists, whatever they come with', async () => {
    await ask('PUT', 'publicAccessBlock', block('BlockPublicAcls'));
    const denied = { status: 403, code: 'AccessDenied' };
    expect(await ask('PUT', 'acl', acl('public-read'))).toMatchObject(denied);
    const put = (path: string, options: SendOptions) => send(tusk.url, 'PUT', `/${bucket}/${path}`, options);
    for (const list of ['public-read', 'public-read-write', 'authenticated-read']) {
      expect(await put('a', { ...acl(list), body: 'a' }), list).toMatchObject(denied);
    }
    expect(await put('a', { ...acl('bucket-owner-full-control'), body: 'a' })).toMatchObject({ status: 200 });
    const headers = { 'x-amz-acl': 'public-read', 'x-amz-copy-source': `/${bucket}/a` };
    expect(await put('b', { key: ROOT, headers })).toMatchObject(denied);
    const query = [['uploads', null]] as const;
    expect(await send(tusk.url, 'POST', `/${bucket}/b`, { ...acl('public-read'), query })).toMatchObject(denied);
    await ask('DELETE', 'publicAccessBlock');
    expect(await put('a', { ...acl('public-read'), body: 'a' })).toMatchObject({ status: 200 });
  });

  it('refuses public policies; others are not kept anyway', async () => {
    const policy = (principal: unknown) => ({
      body: JSON.stringify({
        Statement: [{ Effect: 'Allow', Principal: principal, Action: 's3:GetObject', Resource: '*' }],
      }),
    });
    await ask('PUT', 'publicAccessBlock', block('BlockPublicPolicy'));
    expect(await ask('PUT', 'policy', policy('*'))).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await ask('PUT', 'policy', policy({ AWS: 'somebody' }))).toMatchObject({ status: 501 });
    expect(await ask('PUT', 'policy', { body: '{' })).toMatchObject({ status: 400, code: 'MalformedPolicy' });
    await ask('DELETE', 'publicAccessBlock');
    expect(await ask('PUT', 'policy', policy('*'))).toMatchObject({ status: 501, code: 'NotImplemented' });
  });
});
