// What a client sends wrongly gets the error that S3 would give, and changes nothing.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, freshBucketName, repoOf } from '../support/buckets.ts';
import { sampleBytes } from '../support/clients.ts';
import { type Answer, encode, type SendOptions, send, sendAndHangUp, sendRaw } from '../support/http.ts';
import { crc32Base64, keyOf } from '../support/signature.ts';
import { waitForRequests } from '../support/status.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';

const KEY = keyOf('any-key');

let tusk: Tusk;
let bucket: string;

beforeAll(async () => {
  tusk = await startTusk();
  bucket = await freshBucket(tusk);
  await put('kept', 'as it was');
});
afterAll(async () => {
  await tusk?.stop();
});

const call = (method: string, path: string, options?: SendOptions): Promise<Answer> =>
  send(tusk.url, method, path, options);
const put = (key: string, body: string | Uint8Array, options: SendOptions = {}): Promise<Answer> =>
  call('PUT', `/${bucket}/${key}`, { ...options, body });
const headOf = async (): Promise<string | undefined> => (await tusk.pachd.inspectBranch(repoOf(bucket))).head?.id;

/** Expects an answer, and that the branch has the same head as before: nothing was written. */
async function expectRefused(request: () => Promise<Answer>, status: number, code: string): Promise<void> {
  const before = await headOf();
  expect(await request()).toMatchObject({ status, code });
  expect(await headOf()).toBe(before);
  expect(await call('GET', `/${bucket}/kept`)).toMatchObject({ status: 200, text: 'as it was' });
}

describe('a body that is not what was announced', () => {
  it('Content-MD5 of other bytes is BadDigest', async () => {
    const headers = { 'content-md5': 'QVKQdpWURg4uSFkikE80XQ==' };
    await expectRefused(() => put('kept', 'other', { headers }), 400, 'BadDigest');
  });

  it('a Content-MD5 that is none is InvalidDigest', async () => {
    await expectRefused(() => put('kept', 'other', { headers: { 'content-md5': 'nonsense' } }), 400, 'InvalidDigest');
  });

  it('x-amz-content-sha256 of other bytes is XAmzContentSHA256Mismatch', async () => {
    const options = { key: KEY, payloadHash: '0'.repeat(64) };
    await expectRefused(() => put('kept', 'other', options), 400, 'XAmzContentSHA256Mismatch');
  });

  it('a checksum of other bytes is BadDigest', async () => {
    const headers = { 'x-amz-checksum-crc32': crc32Base64(Buffer.from('something else')) };
    await expectRefused(() => put('kept', 'other', { headers }), 400, 'BadDigest');
  });

  it('a wrong chunk signature is SignatureDoesNotMatch', async () => {
    const options = { key: KEY, signing: 'v4-streaming-bad', chunks: [3, 2] } as const;
    await expectRefused(() => put('kept', 'other', options), 403, 'SignatureDoesNotMatch');
  });

  it('large bodies are refused too, after they went by', async () => {
    const headers = { 'content-md5': 'QVKQdpWURg4uSFkikE80XQ==' };
    await expectRefused(() => put('kept', sampleBytes(9_000_000), { headers }), 400, 'BadDigest');
  });

  it.each([
    ['a small', 10, 100],
    ['a large', 3_000_000, 9_000_000],
  ])('%s body that ends before its length stores nothing', async (_, sent, announced) => {
    const before = await headOf();
    const head = `PUT /${bucket}/cut HTTP/1.1\r\nHost: x\r\nContent-Length: ${announced}\r\n\r\n`;
    await sendAndHangUp(tusk.url, Buffer.concat([Buffer.from(head), sampleBytes(sent)]));
    // Another write comes after it, so the first would be seen if it were stored.
    expect(await put('after', 'x')).toMatchObject({ status: 200 });
    const { text } = await call('GET', `/${bucket}`);
    expect(text).toContain('<Key>after</Key>');
    expect(text).not.toContain('<Key>cut</Key>');
    expect(await headOf()).not.toBe(before);
  });

  it('an aws-chunked body that is shorter than its decoded length is IncompleteBody', async () => {
    const headers = {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '11',
    };
    await expectRefused(() => put('kept', '5\r\nhello\r\n0\r\n\r\n', { headers }), 400, 'IncompleteBody');
  });

  it.each(['5\r\nhel', 'zz\r\nhello\r\n0\r\n\r\n', 'ffffffffffffffff\r\nx', 'hello'])(
    'the framing %j is refused',
    async (body) => {
      const headers = {
        'content-encoding': 'aws-chunked',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': '5',
      };
      const before = await headOf();
      expect((await put('kept', body, { headers })).status).toBe(400);
      expect(await headOf()).toBe(before);
    },
  );
});

describe('sizes', () => {
  it('an object over 5 GB in one PUT is EntityTooLarge, before its body comes', async () => {
    const head = `PUT /${bucket}/huge HTTP/1.1\r\nHost: x\r\nContent-Length: ${5 * 2 ** 30 + 1}\r\n\r\n`;
    const answer = await sendRaw(tusk.url, head);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('<Code>EntityTooLarge</Code>');
  });

  it('a header block of 20 KB is RequestHeaderSectionTooLarge', async () => {
    const headers = { 'x-amz-meta-long': 'x'.repeat(20_000) };
    await expectRefused(() => put('kept', 'other', { headers }), 400, 'RequestHeaderSectionTooLarge');
  });

  it('a header block without an end is cut off', async () => {
    const answer = await sendRaw(tusk.url, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(200_000)}`);
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  });

  it('an XML body past its limit is refused', async () => {
    const body = `<Delete>${'<Object><Key>kept</Key></Object>'.repeat(200_000)}</Delete>`;
    const query = [['delete', '']] as const;
    await expectRefused(() => call('POST', `/${bucket}`, { query, body }), 400, 'MaxMessageLengthExceeded');
  });

  it('more than 1000 keys to delete at once are MalformedXML', async () => {
    const body = `<Delete>${'<Object><Key>kept</Key></Object>'.repeat(1001)}</Delete>`;
    const query = [['delete', '']] as const;
    await expectRefused(() => call('POST', `/${bucket}`, { query, body }), 400, 'MalformedXML');
  });
});

describe('multipart uploads', () => {
  const create = async (key: string): Promise<string> => {
    const { text } = await call('POST', `/${bucket}/${key}`, { query: [['uploads', '']] });
    return /<UploadId>([^<]+)</.exec(text)?.[1] ?? '';
  };
  const part = (key: string, uploadId: string, number: string, body: string | Uint8Array): Promise<Answer> => {
    const query = [
      ['partNumber', number],
      ['uploadId', uploadId],
    ] as const;
    return call('PUT', `/${bucket}/${key}`, { query, body });
  };
  const complete = (key: string, uploadId: string, parts: readonly (readonly [number, string | undefined])[]) => {
    const list = parts.map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    return call('POST', `/${bucket}/${key}`, { query: [['uploadId', uploadId]], body });
  };

  it('a part below 5 MiB that is not the last is EntityTooSmall', async () => {
    const id = await create('small');
    const first = await part('small', id, '1', 'too small');
    const last = await part('small', id, '2', 'the last');
    const parts = [
      [1, first.headers['etag']],
      [2, last.headers['etag']],
    ] as const;
    await expectRefused(() => complete('small', id, parts), 400, 'EntityTooSmall');
  });

  it('parts out of order, unknown parts and wrong ETags are refused', async () => {
    const id = await create('wrong');
    const etag = (await part('wrong', id, '1', sampleBytes(5 << 20))).headers['etag'];
    const last = (await part('wrong', id, '2', 'x')).headers['etag'];
    const whole = [[1, etag] as const, [2, last] as const];
    await expectRefused(() => complete('wrong', id, whole.toReversed()), 400, 'InvalidPartOrder');
    await expectRefused(() => complete('wrong', id, [[3, etag]]), 400, 'InvalidPart');
    await expectRefused(() => complete('wrong', id, [[1, last]]), 400, 'InvalidPart');
    await expectRefused(() => complete('wrong', id, []), 400, 'MalformedXML');
    expect(await complete('wrong', id, whole)).toMatchObject({ status: 200 });
  });

  it.each(['0', '10001', '-1', 'x', ''])('part number %j is InvalidArgument', async (number) => {
    const id = await create('numbers');
    await expectRefused(() => part('numbers', id, number, 'x'), 400, 'InvalidArgument');
  });

  it('an unknown upload is NoSuchUpload, everywhere', async () => {
    await expectRefused(() => part('none', 'no-such-upload', '1', 'x'), 404, 'NoSuchUpload');
    await expectRefused(() => complete('none', 'no-such-upload', [[1, '"x"']]), 404, 'NoSuchUpload');
    const query = [['uploadId', 'no-such-upload']] as const;
    await expectRefused(() => call('DELETE', `/${bucket}/none`, { query }), 404, 'NoSuchUpload');
    await expectRefused(() => call('GET', `/${bucket}/none`, { query }), 404, 'NoSuchUpload');
  });
});

describe('names', () => {
  it.each([
    'st*r',
    'quest?ion',
    'br[acket',
    'br{ace',
    'no!',
    'par(en',
    'a@t',
    'pl+us',
    'car^et',
    'back\\slash',
    'dou//ble',
    'dot/./x',
    'dot/../x',
    '..',
    'line\nfeed',
    'tab\there',
    'nul\0',
    'café',
    '日本',
  ])('the key %j is InvalidFilePath', async (key) => {
    await expectRefused(() => put(key.split('/').map(encode).join('/'), 'x'), 400, 'InvalidFilePath');
  });

  it('a key that is not UTF-8 is refused', async () => {
    const before = await headOf();
    expect((await put('bad%FF.txt', 'x')).status).toBe(400);
    expect((await put('bad%zz.txt', 'x')).status).toBe(400);
    expect(await headOf()).toBe(before);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('%s of a key in an unknown bucket is NoSuchBucket', async (method) => {
    const answer = await call(method, `/${freshBucketName()}/key`);
    expect(answer).toMatchObject({ status: 404, code: method === 'HEAD' ? '' : 'NoSuchBucket' });
  });

  it.each(['a.b.c.d.e', 'master..default', '.', 'UPPER%24'])('the bucket name %s is refused', async (name) => {
    expect(await call('PUT', `/${name}`)).toMatchObject({ status: 400, code: 'InvalidBucketName' });
  });

  it.each(['a', 'ab', '_ab', 'ab-', 'master.-ab', 'master-.ab', 'master.ab.default-'])(
    'no bucket %s is made, and it may be asked for',
    async (name) => {
      expect(await call('PUT', `/${name}`)).toMatchObject({ status: 400, code: 'InvalidBucketName' });
      expect(await call('GET', `/${name}`)).toMatchObject({ status: 404, code: 'NoSuchBucket' });
    },
  );
});

it.each(['kéy', 'k\u007fy'])('an access key that can be no token is InvalidAccessKeyId: %j', async (token) => {
  const key = { accessKey: token, secretKey: token };
  await expectRefused(() => call('GET', `/${bucket}/kept`, { key, signing: 'presign-v4' }), 403, 'InvalidAccessKeyId');
});

describe('XML', () => {
  it.each([
    ['nothing', ''],
    ['text', 'nope'],
    ['no end', '<Delete><Object><Key>kept</Key></Object>'],
    ['another document', '<Remove><Object><Key>kept</Key></Object></Remove>'],
    ['a document type', '<!DOCTYPE Delete [<!ENTITY k "kept">]><Delete><Object><Key>&k;</Key></Object></Delete>'],
    ['great depth', `${'<Delete>'.repeat(2_000)}${'</Delete>'.repeat(2_000)}`],
    ['bytes that are no text', '<Delete><Object><Key>\u0000</Key></Object></Delete>'],
  ])('%s is MalformedXML', async (_, body) => {
    await expectRefused(() => call('POST', `/${bucket}`, { query: [['delete', '']], body }), 400, 'MalformedXML');
  });
});

describe('encryption', () => {
  const METHOD = 'x-amz-server-side-encryption';
  const CUSTOMER = `${METHOD}-customer`;
  const key = Buffer.alloc(32, 1);
  const ofClient = {
    [`${CUSTOMER}-algorithm`]: 'AES256',
    [`${CUSTOMER}-key`]: key.toString('base64'),
    [`${CUSTOMER}-key-md5`]: createHash('md5').update(key).digest('base64'),
  };

  it.each([
    ['a key of the client', 501, 'NotImplemented', ofClient],
    ['a key of the client and one of the server', 400, 'InvalidArgument', { ...ofClient, [METHOD]: 'AES256' }],
    ['a key of the client without its MD5', 400, 'InvalidArgument', { ...ofClient, [`${CUSTOMER}-key-md5`]: '' }],
    ['a key of the client that is too short', 400, 'InvalidArgument', { ...ofClient, [`${CUSTOMER}-key`]: 'AAAA' }],
    ['an unknown method', 400, 'InvalidArgument', { [METHOD]: 'ROT13' }],
    ['the id of a key without its method', 400, 'InvalidArgument', { [`${METHOD}-aws-kms-key-id`]: 'id' }],
  ])('%s is refused', async (_, status, code, headers) => {
    await expectRefused(() => put('kept', 'other', { headers }), status, code);
  });

  it.each(['AES256', 'aws:kms'])('a read that asks for %s is InvalidArgument', async (method) => {
    const options = { headers: { [METHOD]: method } };
    await expectRefused(() => call('GET', `/${bucket}/kept`, options), 400, 'InvalidArgument');
    expect(await call('HEAD', `/${bucket}/kept`, options)).toMatchObject({ status: 400 });
    expect(await put('encrypted', 'x', options)).toMatchObject({ status: 200 });
  });
});

describe('presigned URLs', () => {
  it.each(['presign-v4', 'presign-v2'] as const)('one that has expired is AccessDenied (%s)', async (signing) => {
    const at = new Date(Date.now() - 120_000);
    const options = { key: KEY, signing, at, expiresSeconds: 60 };
    await expectRefused(() => call('GET', `/${bucket}/kept`, options), 403, 'AccessDenied');
    await expectRefused(() => put('kept', 'other', options), 403, 'AccessDenied');
  });

  it('one that is good for no seconds has expired', async () => {
    const options = { key: KEY, signing: 'presign-v4', expiresSeconds: 0 } as const;
    await expectRefused(() => call('GET', `/${bucket}/kept`, options), 403, 'AccessDenied');
  });

  it.each(['-1', '604801', 'x'])('a lifetime of %j is AuthorizationQueryParametersError', async (lifetime) => {
    const query = [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', 'key/20260101/us-east-1/s3/aws4_request'],
      ['X-Amz-Date', '20260101T000000Z'],
      ['X-Amz-Expires', lifetime],
      ['X-Amz-SignedHeaders', 'host'],
      ['X-Amz-Signature', '0'.repeat(64)],
    ] as const;
    await expectRefused(() => call('GET', `/${bucket}/kept`, { query }), 400, 'AuthorizationQueryParametersError');
  });

  it('a signature that is none is refused', async () => {
    for (const authorization of ['AWS4-HMAC-SHA256 nonsense', 'AWS4-HMAC-SHA256 Credential=a/b', 'Bearer token']) {
      const answer = await call('GET', `/${bucket}/kept`, { headers: { authorization } });
      expect(answer.status, authorization).toBeGreaterThanOrEqual(400);
      expect(answer.status, authorization).toBeLessThan(500);
    }
  });
});

const BUCKET_SUBRESOURCES =
  'accelerate acl analytics cors encryption intelligent-tiering inventory lifecycle logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment tagging website';
const OBJECT_SUBRESOURCES = 'acl attributes legal-hold retention tagging torrent restore select';

describe('sub-resources', () => {
  const cases = (names: string, path: () => string) =>
    names.split(' ').flatMap((name) => ['GET', 'PUT', 'DELETE', 'POST'].map((method) => ({ name, method, path })));

  it.each([...cases(BUCKET_SUBRESOURCES, () => `/${bucket}`), ...cases(OBJECT_SUBRESOURCES, () => `/${bucket}/kept`)])(
    '$method ?$name is never taken for the plain request',
    async ({ method, name, path }) => {
      const before = await headOf();
      const answer = await call(method, path(), { query: [[name, '']] });
      expect(answer.status).not.toBe(500);
      expect(answer.text).not.toMatch(/<ListBucketResult|as it was/);
      expect(await headOf()).toBe(before);
      expect(await call('GET', `/${bucket}/kept`)).toMatchObject({ status: 200, text: 'as it was' });
    },
  );

  it('a sub-resource that nobody knows is refused on writes', async () => {
    const before = await headOf();
    for (const method of ['PUT', 'DELETE']) {
      const answer = await call(method, `/${bucket}/kept`, { query: [['ownership-of-tomorrow', '']] });
      expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
    }
    expect(await headOf()).toBe(before);
  });
});

describe('the process', () => {
  it.each([
    'GARBAGE\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
    'PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'PUT /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n',
    `GET /${'%'.repeat(500)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /?${'a&'.repeat(3_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ])('survives %j', async (bytes) => {
    const workers = tusk.program.alive().map(({ pid }) => pid);
    const answer = await sendRaw(tusk.url, bytes);
    expect(answer).toMatch(/^(HTTP\/1\.1 [245]\d\d |$)/);
    expect(answer).not.toContain('<Code>InternalError</Code>');
    expect(await call('GET', `/${bucket}/kept`)).toMatchObject({ status: 200, text: 'as it was' });
    expect(tusk.program.alive().map(({ pid }) => pid)).toEqual(workers);
  });

  it('survives clients that go away at any point', async () => {
    const workers = tusk.program.alive().map(({ pid }) => pid);
    await put('large', sampleBytes(9_000_000));
    const request = `GET /${bucket}/large HTTP/1.1\r\nHost: x\r\n\r\n`;
    const upload = `PUT /${bucket}/gone HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(5_000)}`;
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        sendAndHangUp(tusk.url, (index % 2 === 0 ? request : upload).slice(0, 10 + index * 130)),
      ),
    );
    expect(await call('GET', `/${bucket}/kept`)).toMatchObject({ status: 200, text: 'as it was' });
    expect(tusk.program.alive().map(({ pid }) => pid)).toEqual(workers);
    await waitForRequests(tusk, 0);
  });
});
