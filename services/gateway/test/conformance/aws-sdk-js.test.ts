import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucketName } from '../support/buckets.ts';
import { sampleBytes } from '../support/clients.ts';
import { follow } from '../support/http.ts';
import { CERTIFICATE, SERVES_TLS } from '../support/tls.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';

describe.each([
  { title: 'auth off, any key', auth: false, token: 'any-key', tls: false },
  { title: 'auth on, the root token', auth: true, token: ROOT_TOKEN, tls: false },
  { title: 'over TLS', auth: true, token: ROOT_TOKEN, tls: true },
])('@aws-sdk/client-s3 ($title)', ({ auth, token, tls }) => {
  let tusk: Tusk;
  let client: S3Client;

  beforeAll(async () => {
    tusk = await startTusk({ auth, env: tls ? SERVES_TLS : {} });
    // set-up of @aws-sdk/client-s3
    client = new S3Client({
      endpoint: tusk.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: token, secretAccessKey: token },
      ...(tls ? { requestHandler: { httpsAgent: new Agent({ ca: CERTIFICATE }) } } : {}),
    });
    // end of the set-up
  });
  afterAll(async () => {
    client?.destroy();
    await tusk?.stop();
  });

  const freshBucket = async (...keys: readonly string[]): Promise<string> => {
    const Bucket = freshBucketName('sdk');
    await client.send(new CreateBucketCommand({ Bucket }));
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    return Bucket;
  };
  const contentOf = async (Bucket: string, Key: string): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  it.each([0, 1, 1_000_000, 20_000_000])('an object of %i bytes comes back byte for byte', async (size) => {
    const Bucket = await freshBucket();
    const bytes = sampleBytes(size);
    const put = await client.send(new PutObjectCommand({ Bucket, Key: 'object.bin', Body: bytes }));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'object.bin' }));
    expect(head).toMatchObject({ ContentLength: size, ETag: put.ETag });
    expect((await contentOf(Bucket, 'object.bin')).equals(bytes)).toBe(true);
  });

  it('takes a stream, in the aws-chunked coding that the SDK uses for one', async () => {
    const Bucket = await freshBucket();
    const bytes = sampleBytes(3_000_000);
    const Body = Readable.from([bytes.subarray(0, 1_000_001), bytes.subarray(1_000_001)]);
    const put = new PutObjectCommand({ Bucket, Key: 'stream.bin', Body, ContentLength: bytes.length });
    let sent: Readonly<Record<string, string>> = {};
    put.middlewareStack.add(
      (next) => (args) => {
        sent = (args.request as { headers: Record<string, string> }).headers;
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    await client.send(put);
    expect(sent).toMatchObject({ 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' });
    expect((await contentOf(Bucket, 'stream.bin')).equals(bytes)).toBe(true);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'takes the checksum %s',
    async (ChecksumAlgorithm) => {
      const Bucket = await freshBucket();
      const Body = sampleBytes(100_000);
      await client.send(new PutObjectCommand({ Bucket, Key: 'sum.bin', Body, ChecksumAlgorithm }));
      expect((await contentOf(Bucket, 'sum.bin')).equals(Body)).toBe(true);
    },
  );

  it('completes a multipart upload', async () => {
    const name = { Bucket: await freshBucket(), Key: 'parts.bin' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(name));
    const bodies = [sampleBytes(5 << 20, 'one'), sampleBytes(6 << 20, 'two'), sampleBytes(10, 'three')];
    const Parts = await Promise.all(
      bodies.map(async (Body, index) => {
        const PartNumber = index + 1;
        const { ETag } = await client.send(new UploadPartCommand({ ...name, UploadId, PartNumber, Body }));
        return { PartNumber, ETag };
      }),
    );
    await client.send(new CompleteMultipartUploadCommand({ ...name, UploadId, MultipartUpload: { Parts } }));
    expect((await contentOf(name.Bucket, name.Key)).equals(Buffer.concat(bodies))).toBe(true);
  });

  it('pages a list', async () => {
    const keys = Array.from({ length: 11 }, (_, index) => `k/${String(index).padStart(2, '0')}`);
    const Bucket = await freshBucket(...keys);
    const seen: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client, pageSize: 3 }, { Bucket, Prefix: 'k/' })) {
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
    }
    expect(seen).toEqual(keys);
  });

  it('copies and deletes', async () => {
    const Bucket = await freshBucket('one', 'two');
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/one` }));
    expect((await contentOf(Bucket, 'copy')).toString()).toBe('one');
    const Objects = [{ Key: 'one' }, { Key: 'two' }];
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors).toBeUndefined();
    expect(Deleted?.map(({ Key }) => Key).sort()).toEqual(['one', 'two']);
    await expect(contentOf(Bucket, 'one')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('presigns', async () => {
    const Bucket = await freshBucket('shared');
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'shared' }), { expiresIn: 60 });
    expect((await follow(url)).text).toBe('shared');
  });

  it('lists the buckets', async () => {
    const Bucket = await freshBucket();
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toContain(Bucket);
  });
});
