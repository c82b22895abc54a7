// What clients ask a bucket at their start, answered as S3 answers for a bucket that was never told otherwise.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { type Answer, type SendOptions, send } from '../support/http.ts';
import { keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { element, elements } from '../support/uploads.ts';

let tusk: Tusk;
let bucket: string;

const ROOT = keyOf(ROOT_TOKEN);
const ask = (method: string, key: string, name: string, options: SendOptions = {}): Promise<Answer> =>
  send(tusk.url, method, `/${bucket}${key}`, { key: ROOT, query: [[name, null]], ...options });

beforeAll(async () => {
  tusk = await startTusk({ auth: true });
  bucket = await freshBucket(tusk, ROOT);
  await send(tusk.url, 'PUT', `/${bucket}/key`, { key: ROOT, body: 'content' });
});
afterAll(async () => {
  await tusk?.stop();
});

describe('a bucket', () => {
  it.each([
    ['cors', 404, 'NoSuchCORSConfiguration'],
    ['encryption', 404, 'ServerSideEncryptionConfigurationNotFoundError'],
    ['lifecycle', 404, 'NoSuchLifecycleConfiguration'],
    ['object-lock', 404, 'ObjectLockConfigurationNotFoundError'],
    ['policy', 404, 'NoSuchBucketPolicy'],
    ['policyStatus', 404, 'NoSuchBucketPolicy'],
    ['publicAccessBlock', 404, 'NoSuchPublicAccessBlockConfiguration'],
    ['replication', 404, 'ReplicationConfigurationNotFoundError'],
    ['tagging', 404, 'NoSuchTagSet'],
    ['website', 404, 'NoSuchWebsiteConfiguration'],
  ])('has no %s', async (name, status, code) => {
    expect(await ask('GET', '', name)).toMatchObject({ status, code });
  });

  it.each([
    [
      'accelerate',
      '<AccelerateConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></AccelerateConfiguration>',
    ],
    ['logging', '<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></BucketLoggingStatus>'],
    ['notification', '<NotificationConfiguration '],
    ['requestPayment', '<Payer>BucketOwner</Payer>'],
    ['ownershipControls', '<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>'],
    ['analytics', '<IsTruncated>false</IsTruncated>'],
    ['inventory', '<IsTruncated>false</IsTruncated>'],
    ['metrics', '<IsTruncated>false</IsTruncated>'],
    ['intelligent-tiering', '<IsTruncated>false</IsTruncated>'],
  ])('says so of %s', async (name, wanted) => {
    const answer = await ask('GET', '', name);
    expect(answer).toMatchObject({ status: 200, code: '' });
    expect(answer.text).toContain(wanted);
  });

  it('has no configuration of any id', async () => {
    const query = [
      ['metrics', null],
      ['id', 'mine'],
    ] as const;
    expect(await ask('GET', '', '', { query })).toMatchObject({ status: 404, code: 'NoSuchConfiguration' });
  });

  it.each(['cors', 'encryption', 'lifecycle', 'policy', 'publicAccessBlock', 'replication', 'tagging', 'website'])(
    'loses the %s that it never had',
    async (name) => {
      expect(await ask('DELETE', '', name)).toMatchObject({ status: 204 });
    },
  );

  it.each(['cors', 'encryption', 'website', 'replication'])('takes no %s, since it could not keep it', async (name) => {
    expect(await ask('PUT', '', name, { body: '<x/>' })).toMatchObject({ status: 501, code: 'NotImplemented' });
  });

  it.each([
    ['accelerate', 'AccelerateConfiguration', '<Status>Suspended</Status>', '<Status>Enabled</Status>'],
    ['logging', 'BucketLoggingStatus', '', '<LoggingEnabled/>'],
    ['notification', 'NotificationConfiguration', '', '<TopicConfiguration/>'],
    [
      'ownershipControls',
      'OwnershipControls',
      '<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>',
      '<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>',
    ],
    ['requestPayment', 'RequestPaymentConfiguration', '<Payer>BucketOwner</Payer>', '<Payer>Requester</Payer>'],
  ])('takes of %s what it is already', async (name, root, same, other) => {
    const put = (inner: string) => ask('PUT', '', name, { body: `<${root}>${inner}</${root}>` });
    expect(await put(same)).toMatchObject({ status: 200 });
    expect(await put(other)).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await ask('PUT', '', name, { body: '<x/>' })).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  it('takes no lifecycle, and says what is wrong with one', async () => {
    const rules = (rule: string) => `<LifecycleConfiguration>${rule}</LifecycleConfiguration>`;
    const rule = '<Rule><Prefix/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>';
    const put = (body: string) => ask('PUT', '', 'lifecycle', { body });
    expect(await put(rules(rule))).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await put(rules(rule.replace('1', '0')))).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(await put('')).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  it('that is not there has none of it', async () => {
    const path = '/master.nobody-has-it.default';
    for (const name of ['acl', 'cors', 'policy', 'requestPayment']) {
      const answer = await send(tusk.url, 'GET', path, { key: ROOT, query: [[name, null]] });
      expect(answer, name).toMatchObject({ status: 404, code: 'NoSuchBucket' });
    }
  });

  it('cannot be locked in', async () => {
    expect(await ask('PUT', '', 'object-lock', { body: '<x/>' })).toMatchObject({
      status: 409,
      code: 'InvalidBucketState',
    });
    for (const name of ['retention', 'legal-hold']) {
      expect(await ask('GET', '/key', name), name).toMatchObject({ status: 400, code: 'InvalidRequest' });
      expect(await ask('PUT', '/key', name), name).toMatchObject({ status: 400, code: 'InvalidRequest' });
    }
    const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
    const made = await send(tusk.url, 'PUT', '/master.locked.default', { key: ROOT, headers });
    expect(made).toMatchObject({ status: 501, code: 'NotImplemented' });
  });

  it('is not made for others to own what is in it', async () => {
    const make = (ownership: string) =>
      send(tusk.url, 'PUT', '/master.owned.default', { key: ROOT, headers: { 'x-amz-object-ownership': ownership } });
    expect(await make('ObjectWriter')).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await make('BucketOwnerEnforced')).toMatchObject({ status: 200 });
  });
});

describe('an access list', () => {
  it('is the canned private one', async () => {
    for (const answer of [await ask('GET', '', 'acl'), await ask('GET', '/key', 'acl')]) {
      expect(answer).toMatchObject({ status: 200 });
      expect(elements(answer.text, 'Permission')).toEqual(['FULL_CONTROL']);
      const [owner, grantee] = elements(answer.text, 'ID');
      expect(grantee).toBe(owner);
      expect(answer.text).toContain('xsi:type="CanonicalUser"');
    }
    expect(await ask('GET', '/none', 'acl')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('that was read may be given back', async () => {
    const { text } = await ask('GET', '', 'acl');
    expect(await ask('PUT', '/key', 'acl', { body: text })).toMatchObject({ status: 200 });
    const other = { status: 400, code: 'AccessControlListNotSupported' };
    for (const body of [text.replace('FULL_CONTROL', 'READ'), text.replace(/<ID>0/g, '<ID>1')]) {
      expect(await ask('PUT', '/key', 'acl', { body })).toMatchObject(other);
    }
  });

  it('stays what it is', async () => {
    const acl = (value: string) => ({ headers: { 'x-amz-acl': value } });
    expect(await ask('PUT', '', 'acl', acl('private'))).toMatchObject({ status: 200 });
    expect(await ask('PUT', '/key', 'acl', acl('private'))).toMatchObject({ status: 200 });
    for (const key of ['', '/key']) {
      const refused = { status: 400, code: 'AccessControlListNotSupported' };
      expect(await ask('PUT', key, 'acl', acl('public-read'))).toMatchObject(refused);
      expect(await ask('PUT', key, 'acl', { body: '<AccessControlPolicy/>' })).toMatchObject(refused);
    }
  });
});

describe('an object', () => {
  it('has no tags', async () => {
    const answer = await ask('GET', '/key', 'tagging');
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.text).toContain('<TagSet></TagSet>');
    expect(await ask('DELETE', '/key', 'tagging')).toMatchObject({ status: 204 });
    const tagging = (key: string) => ({
      body: `<Tagging><TagSet><Tag><Key>${key}</Key><Value/></Tag></TagSet></Tagging>`,
    });
    expect(await ask('PUT', '/key', 'tagging', tagging('a'))).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await ask('PUT', '/key', 'tagging', tagging(''))).toMatchObject({ status: 400, code: 'InvalidTag' });
    expect(await ask('PUT', '/none', 'tagging', tagging('a'))).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await ask('GET', '/none', 'tagging')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('has attributes, as far as they are known', async () => {
    const attributes = (value: string) =>
      ask('GET', '/key', 'attributes', { headers: { 'x-amz-object-attributes': value } });
    const { headers } = await send(tusk.url, 'HEAD', `/${bucket}/key`, { key: ROOT });
    const answer = await attributes('ETag,Checksum, ObjectParts,StorageClass,ObjectSize');
    expect(answer).toMatchObject({ status: 200 });
    expect(`"${element(answer.text, 'ETag')}"`).toBe(headers['etag']);
    expect(element(answer.text, 'ObjectSize')).toBe('7');
    expect(element(answer.text, 'StorageClass')).toBe('STANDARD');
    expect(answer.headers['last-modified']).toBe(headers['last-modified']);
    expect((await attributes('ObjectSize')).text).not.toContain('ETag');
    expect(await attributes('Color')).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(await ask('GET', '/key', 'attributes')).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });
});

describe('ListBuckets', () => {
  const list = (...query: readonly (readonly [string, string])[]): Promise<Answer> =>
    send(tusk.url, 'GET', '/', { key: ROOT, query });

  it('gives pages below a prefix, with the region', async () => {
    const word = `page${Date.now().toString(36)}`;
    const names = ['a', 'b', 'c'].map((letter) => `master.${word}-${letter}.default`);
    for (const name of names) await send(tusk.url, 'PUT', `/${name}`, { key: ROOT });
    const prefix = ['prefix', `master.${word}-`] as const;
    const first = await list(prefix, ['max-buckets', '2']);
    expect(elements(first.text, 'Name')).toEqual(names.slice(0, 2));
    expect(elements(first.text, 'BucketRegion')).toEqual(['PACHYDERM', 'PACHYDERM']);
    expect(element(first.text, 'Prefix')).toBe(prefix[1]);
    const last = await list(prefix, ['continuation-token', element(first.text, 'ContinuationToken')]);
    expect(elements(last.text, 'Name')).toEqual(names.slice(2));
    expect(last.text).not.toContain('ContinuationToken');
    expect(elements((await list(prefix, ['bucket-region', 'eu-west-1'])).text, 'Name')).toEqual([]);
    expect((await list()).text).not.toContain('BucketRegion');
  });

  it.each([
    ['max-buckets', '0'],
    ['max-buckets', '10001'],
    ['max-buckets', 'many'],
    ['continuation-token', '?'],
  ])('with %s %s is refused', async (name, value) => {
    expect(await list([name, value])).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });
});
