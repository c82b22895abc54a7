import { Client, CopyConditions } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucketName } from '../support/buckets.ts';
import { sampleBytes } from '../support/clients.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';

describe.each([
  { title: 'auth off, unsigned', auth: false, token: undefined },
  { title: 'auth off, any key', auth: false, token: 'any-key' },
  { title: 'auth on, the root token', auth: true, token: ROOT_TOKEN },
])('minio-js ($title)', ({ auth, token }) => {
  let tusk: Tusk;
  let client: Client;

  beforeAll(async () => {
    tusk = await startTusk({ auth });
    const { hostname, port } = new URL(tusk.url);
    // set-up of minio-js
    client = new Client({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      region: 'us-east-1',
      partSize: 5 << 20,
      ...(token === undefined ? {} : { accessKey: token, secretKey: token }),
    });
    // end of the set-up
  });
  afterAll(async () => {
    await tusk?.stop();
  });

  const freshBucket = async (...keys: readonly string[]): Promise<string> => {
    const bucket = freshBucketName('minio');
    await client.makeBucket(bucket);
    for (const key of keys) await client.putObject(bucket, key, key);
    return bucket;
  };
  const contentOf = async (bucket: string, key: string): Promise<Buffer> =>
    Buffer.concat(await (await client.getObject(bucket, key)).toArray());
  const listed = async (bucket: string, recursive: boolean): Promise<readonly (string | undefined)[]> => {
    const items = await client.listObjectsV2(bucket, '', recursive).toArray();
    return items.map(({ name, prefix }: { name?: string; prefix?: string }) => name ?? prefix);
  };

  it.each([0, 1, 1_000_000, 20_000_000])('an object of %i bytes comes back byte for byte', async (size) => {
    // Made first: a connection that rests meanwhile may be closed, and this client would still take it.
    const bytes = sampleBytes(size);
    const bucket = await freshBucket();
    await client.putObject(bucket, 'folder/object.bin', bytes, size);
    expect((await contentOf(bucket, 'folder/object.bin')).equals(bytes)).toBe(true);
    expect((await client.statObject(bucket, 'folder/object.bin')).size).toBe(size);
  });

  it('reads a range', async () => {
    const bucket = await freshBucket('0123456789');
    const stream = await client.getPartialObject(bucket, '0123456789', 3, 4);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('3456');
  });

  it('lists flat and by folder', async () => {
    const bucket = await freshBucket('a.txt', 'b/1.txt', 'b/c/2.txt');
    expect(await listed(bucket, true)).toEqual(['a.txt', 'b/1.txt', 'b/c/2.txt']);
    expect(new Set(await listed(bucket, false))).toEqual(new Set(['a.txt', 'b/']));
  });

  it('copies and removes objects', async () => {
    const bucket = await freshBucket('one', 'two');
    await client.copyObject(bucket, 'copy', `/${bucket}/one`, new CopyConditions());
    expect((await contentOf(bucket, 'copy')).toString()).toBe('one');
    await client.removeObject(bucket, 'one');
    await client.removeObjects(bucket, ['two', 'none']);
    expect(await listed(bucket, true)).toEqual(['copy']);
  });

  it('makes, finds and removes buckets', async () => {
    const bucket = freshBucketName('minio');
    expect(await client.bucketExists(bucket)).toBe(false);
    await client.makeBucket(bucket);
    expect(await client.bucketExists(bucket)).toBe(true);
    expect((await client.listBuckets()).map(({ name }) => name)).toContain(bucket);
    await client.removeBucket(bucket);
    expect(await client.bucketExists(bucket)).toBe(false);
  });

  it("gets S3's error codes", async () => {
    const bucket = await freshBucket();
    await expect(client.getObject(bucket, 'none')).rejects.toMatchObject({ code: 'NoSuchKey' });
    await expect(client.getObject(freshBucketName(), 'none')).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await expect(client.makeBucket(bucket)).rejects.toMatchObject({ code: 'BucketAlreadyOwnedByYou' });
  });

  if (token !== undefined) {
    it('presigns downloads and uploads', async () => {
      const bucket = await freshBucket('shared.txt');
      const get = await fetch(await client.presignedGetObject(bucket, 'shared.txt', 60));
      expect(await get.text()).toBe('shared.txt');
      const put = await fetch(await client.presignedPutObject(bucket, 'put.txt', 60), {
        method: 'PUT',
        body: 'by a link',
      });
      expect(put.status).toBe(200);
      expect((await contentOf(bucket, 'put.txt')).toString()).toBe('by a link');
    });
  }
});
