import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Credential } from '../../../src/s3/auth/credential.ts';
import { verifiedBody } from '../../../src/s3/auth/verified-body.ts';
import { bodyOf, EXAMPLE_KEY, EXAMPLE_SECRET, headersOf, readAll } from './requests.ts';

const ANONYMOUS: Credential = { kind: 'anonymous' };
const NINE = Buffer.from('123456789');

/** The check values of the CRC catalogue, and the digests, of "123456789". */
const CHECKSUMS = {
  crc32: Buffer.from('cbf43926', 'hex').toString('base64'),
  crc32c: Buffer.from('e3069283', 'hex').toString('base64'),
  crc64nvme: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  sha1: createHash('sha1').update(NINE).digest('base64'),
  sha256: createHash('sha256').update(NINE).digest('base64'),
};

const sha256Hex = createHash('sha256').update(NINE).digest('hex');
const md5 = createHash('md5').update(NINE).digest('base64');

function read(
  fields: Record<string, string>,
  bytes: Uint8Array = NINE,
  lengthBytes: number | undefined = bytes.length,
) {
  const verified = verifiedBody({
    body: bodyOf(bytes, 4, lengthBytes),
    headers: headersOf(Object.entries(fields)),
    credential: ANONYMOUS,
    secretKey: undefined,
  });
  return readAll(verified.chunks).then((read) => ({ read: read.toString(), checksum: verified.verifiedChecksum() }));
}

describe('a body without chunks of its own', () => {
  it('comes as it is', async () => {
    expect(await read({})).toEqual({ read: '123456789', checksum: undefined });
    expect(await read({}, new Uint8Array(0))).toEqual({ read: '', checksum: undefined });
  });

  it.each(Object.entries(CHECKSUMS))('has the right %s', async (kind, value) => {
    expect(await read({ [`x-amz-checksum-${kind}`]: value })).toEqual({
      read: '123456789',
      checksum: { algorithm: kind.toUpperCase(), value },
    });
  });

  it.each(Object.keys(CHECKSUMS))('has another %s than it should', async (kind) => {
    const other = Buffer.from(CHECKSUMS[kind as keyof typeof CHECKSUMS], 'base64');
    other[0] = (other[0] ?? 0) ^ 1;
    const reading = read({ [`x-amz-checksum-${kind}`]: other.toString('base64') });
    await expect(reading).rejects.toMatchObject({ code: 'BadDigest', status: 400 });
  });

  it.each(Object.keys(CHECKSUMS))('has a %s that is none', (kind) => {
    for (const value of ['', 'AAA', 'AAAA', '!!!!!!==', `${CHECKSUMS[kind as keyof typeof CHECKSUMS]}=`]) {
      expect(() => read({ [`x-amz-checksum-${kind}`]: value })).toThrow(
        expect.objectContaining({ code: 'InvalidRequest' }),
      );
    }
  });

  it('has the right Content-MD5 and x-amz-content-sha256', async () => {
    const fields = { 'content-md5': md5, 'x-amz-content-sha256': sha256Hex, 'x-amz-checksum-crc32': CHECKSUMS.crc32 };
    expect((await read(fields)).read).toBe('123456789');
    expect((await read({ 'x-amz-content-sha256': sha256Hex.toUpperCase() })).read).toBe('123456789');
    expect((await read({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).read).toBe('123456789');
  });

  it('has another Content-MD5 or x-amz-content-sha256 than it should', async () => {
    await expect(read({ 'content-md5': md5 }, Buffer.from('12345678!'))).rejects.toMatchObject({ code: 'BadDigest' });
    await expect(read({ 'x-amz-content-sha256': sha256Hex }, Buffer.from('12345678!'))).rejects.toMatchObject({
      code: 'XAmzContentSHA256Mismatch',
    });
  });

  it('has a Content-MD5 that is none', () => {
    for (const value of ['', 'abc', md5.slice(0, -1), Buffer.alloc(15).toString('base64')]) {
      expect(() => read({ 'content-md5': value })).toThrow(expect.objectContaining({ code: 'InvalidDigest' }));
    }
  });

  it('is shorter or longer than Content-Length says', async () => {
    await expect(read({}, NINE, 10)).rejects.toMatchObject({ code: 'IncompleteBody' });
    await expect(read({}, NINE, 8)).rejects.toMatchObject({ code: 'IncompleteBody' });
  });

  it('has checksums that cannot be told apart, or that nobody knows', () => {
    for (const [fields, code] of [
      [{ 'x-amz-checksum-crc32': CHECKSUMS.crc32, 'x-amz-checksum-sha1': CHECKSUMS.sha1 }, 'InvalidRequest'],
      [{ 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
      [{ 'x-amz-checksum-md4': 'AAAA' }, 'NotImplemented'],
      [{ 'x-amz-trailer': 'x-amz-checksum-md4' }, 'NotImplemented'],
    ] as const) {
      expect(() => read(fields)).toThrow(expect.objectContaining({ code }));
    }
    expect(() => read({ 'x-amz-checksum-type': 'FULL_OBJECT', 'x-amz-checksum-algorithm': 'CRC32' })).not.toThrow();
  });

  it('gives every byte before it says that they were wrong', async () => {
    const { chunks } = verifiedBody({
      body: bodyOf(NINE, 4),
      headers: headersOf([['content-md5', Buffer.alloc(16).toString('base64')]]),
      credential: ANONYMOUS,
      secretKey: undefined,
    });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const chunk of chunks) {
        seen.push(Buffer.from(chunk).toString());
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'BadDigest' });
    expect(seen).toEqual(['1234', '5678', '9']);
  });
});

/** S3 API reference, "Signature calculations …: transferring payload in multiple chunks", and "… including trailing headers". */
const SCOPE = { date: '20130524', region: 'us-east-1', service: 's3' };

function streamingCredential(payloadHash: string, signature: string): Credential {
  return {
    kind: 'sigv4',
    where: 'header',
    accessKey: EXAMPLE_KEY,
    scope: SCOPE,
    signedHeaders: [],
    signature,
    amzDate: '20130524T000000Z',
    timestampMs: Date.UTC(2013, 4, 24),
    payloadHash,
  };
}

const A64K = Buffer.alloc(65_536, 'a');
const A1K = Buffer.alloc(1024, 'a');

function frame(
  size: number,
  signature: string | undefined,
  data: Uint8Array = new Uint8Array(0),
  end = '\r\n',
): Buffer {
  const extension = signature === undefined ? '' : `;chunk-signature=${signature}`;
  return Buffer.concat([Buffer.from(`${size.toString(16)}${extension}\r\n`), data, Buffer.from(end)]);
}

const CHUNKS = Buffer.concat([
  frame(65_536, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648', A64K),
  frame(1024, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497', A1K),
  frame(0, 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'),
]);

/** Where the data of the first chunk ends: after a size of five digits, its extension and the end of the line. */
const FIRST_END = 5 + ';chunk-signature='.length + 64 + 2 + 65_536;

const TRAILER = Buffer.from(
  'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
);
const CHUNKS_TRAILER = Buffer.concat([
  frame(65_536, 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2', A64K),
  frame(1024, '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7', A1K),
  frame(0, '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992', undefined, ''),
  TRAILER,
]);

interface Streaming {
  readonly bytes: Uint8Array;
  readonly fields?: Record<string, string>;
  readonly pieceBytes?: number;
  readonly credential?: Credential;
}

const SIGNED = streamingCredential(
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
);
const SIGNED_TRAILER = streamingCredential(
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
);
const UNSIGNED_TRAILER = streamingCredential('STREAMING-UNSIGNED-PAYLOAD-TRAILER', '0'.repeat(64));

function decode({ bytes, fields = {}, pieceBytes = 8192, credential = SIGNED }: Streaming) {
  const verified = verifiedBody({
    body: bodyOf(bytes, pieceBytes, undefined),
    headers: headersOf(Object.entries({ 'x-amz-decoded-content-length': '66560', ...fields })),
    credential,
    secretKey: EXAMPLE_SECRET,
  });
  expect(verified.decodedLengthBytes).toBe(Number(fields['x-amz-decoded-content-length'] ?? 66_560));
  return readAll(verified.chunks);
}

describe('a body in signed chunks', () => {
  it.each([1, 7, 1000, 65_536, 1 << 20])(
    'is that of AWS’ documentation, however it is cut (%d)',
    async (pieceBytes) => {
      expect((await decode({ bytes: CHUNKS, pieceBytes })).equals(Buffer.concat([A64K, A1K]))).toBe(true);
    },
  );

  it.each([
    ['a changed byte', 70_000 - 3000],
    ['a changed byte in the second chunk', 66_000],
    ['a changed byte in the first chunk', 1000],
  ])('with %s is refused before that chunk is given out', async (_name, at) => {
    const bytes = Buffer.from(CHUNKS);
    bytes[Math.min(at, 66_500)] = 0x62;
    await expect(decode({ bytes })).rejects.toMatchObject({ code: 'SignatureDoesNotMatch', status: 403 });
  });

  it('with the chunks of another request is refused', async () => {
    const credential = { ...SIGNED, signature: '0'.repeat(64) } as Credential;
    await expect(decode({ bytes: CHUNKS, credential })).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  it('that ends anywhere before its end is refused', async () => {
    for (const endBytes of [0, 1, 50, 90, 5000, 65_623, 65_700, CHUNKS.length - 100, CHUNKS.length - 87]) {
      await expect(decode({ bytes: CHUNKS.subarray(0, endBytes) })).rejects.toMatchObject({ code: 'IncompleteBody' });
    }
  });

  it('of another length than announced is refused', async () => {
    for (const length of ['0', '66559', '66561']) {
      await expect(decode({ bytes: CHUNKS, fields: { 'x-amz-decoded-content-length': length } })).rejects.toMatchObject(
        { code: 'IncompleteBody' },
      );
    }
  });

  it.each([
    ['no signature', frame(65_536, undefined, A64K)],
    ['a size that is none', Buffer.from(`xyz;chunk-signature=${'0'.repeat(64)}\r\n`)],
    ['a short signature', frame(65_536, '0', A64K)],
    ['a header without an end', Buffer.alloc(5000, '0')],
    [
      'data past its size',
      Buffer.concat([CHUNKS.subarray(0, FIRST_END), Buffer.from('xx'), CHUNKS.subarray(FIRST_END)]),
    ],
    ['a size past all bounds', frame(17 * 1024 * 1024, '0'.repeat(64), A64K)],
  ])('with %s is refused', async (_name, bytes) => {
    const fields = { 'x-amz-decoded-content-length': String(100 * 1024 * 1024) };
    await expect(decode({ bytes, fields })).rejects.toMatchObject({ code: 'InvalidRequest' });
  });

  it('with something after its end is refused', async () => {
    const bytes = Buffer.concat([CHUNKS, Buffer.from('x-amz-checksum-crc32:AAAA\r\n')]);
    await expect(decode({ bytes })).rejects.toMatchObject({ code: 'MalformedTrailerError' });
  });

  it('needs x-amz-decoded-content-length, and a signed request', () => {
    const input = { body: bodyOf(CHUNKS), credential: SIGNED, secretKey: EXAMPLE_SECRET };
    expect(() => verifiedBody({ ...input, headers: headersOf([]) })).toThrow(
      expect.objectContaining({ code: 'MissingContentLength', status: 411 }),
    );
    const length = ['x-amz-decoded-content-length', '1'] as const;
    expect(() => verifiedBody({ ...input, headers: headersOf([[length[0], '-1']]) })).toThrow(
      expect.objectContaining({ code: 'InvalidArgument' }),
    );
    const anonymous = headersOf([length, ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']]);
    expect(() => verifiedBody({ ...input, headers: anonymous, credential: ANONYMOUS, secretKey: undefined })).toThrow(
      expect.objectContaining({ code: 'AccessDenied' }),
    );
  });
});

describe('a body in signed chunks with a signed trailer', () => {
  const fields = { 'x-amz-trailer': 'x-amz-checksum-crc32c' };

  it.each([1, 65_536])('is that of AWS’ documentation (%d)', async (pieceBytes) => {
    const decoded = await decode({ bytes: CHUNKS_TRAILER, credential: SIGNED_TRAILER, fields, pieceBytes });
    expect(decoded.length).toBe(66_560);
  });

  it('with a changed trailer is refused', async () => {
    const bytes = Buffer.from(CHUNKS_TRAILER.toString('latin1').replace('sOO8', 'sOO9'), 'latin1');
    await expect(decode({ bytes, credential: SIGNED_TRAILER, fields })).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });

  it('without a trailer signature is refused', async () => {
    const bytes = CHUNKS_TRAILER.subarray(0, CHUNKS_TRAILER.length - 92);
    await expect(decode({ bytes, credential: SIGNED_TRAILER, fields })).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });
});

describe('a body in chunks that are not signed', () => {
  const fields = { 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-decoded-content-length': '9' };
  const trailer = `x-amz-checksum-crc32:${CHECKSUMS.crc32}\r\n\r\n`;

  it('comes with the checksum in its trailer', async () => {
    const bytes = Buffer.from(`4\r\n1234\r\n5\r\n56789\r\n0\r\n${trailer}`);
    const verified = verifiedBody({
      body: bodyOf(bytes, 3),
      headers: headersOf(Object.entries({ ...fields, 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' })),
      credential: ANONYMOUS,
      secretKey: undefined,
    });
    expect((await readAll(verified.chunks)).toString()).toBe('123456789');
    expect(verified.verifiedChecksum()).toEqual({ algorithm: 'CRC32', value: CHECKSUMS.crc32 });
  });

  it.each([
    ['a wrong checksum', `9\r\n12345678!\r\n0\r\n${trailer}`, 'BadDigest'],
    ['a checksum that is none', '9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:AAA\r\n\r\n', 'InvalidRequest'],
    ['no checksum', '9\r\n123456789\r\n0\r\n\r\n', 'MalformedTrailerError'],
    ['a trailer that is none', '9\r\n123456789\r\n0\r\nnonsense\r\n\r\n', 'MalformedTrailerError'],
    ['too many trailers', `9\r\n123456789\r\n0\r\n${'a:b\r\n'.repeat(17)}${trailer}`, 'MalformedTrailerError'],
    ['an end too early', '9\r\n12345678', 'IncompleteBody'],
    ['a chunk that is longer than its size', '8\r\n123456789\r\n0\r\n\r\n', 'InvalidRequest'],
  ])('with %s is refused', async (_name, body, code) => {
    await expect(decode({ bytes: Buffer.from(body), credential: UNSIGNED_TRAILER, fields })).rejects.toMatchObject({
      code,
    });
  });

  it('with a checksum that was not announced is refused', async () => {
    await expect(
      decode({
        bytes: Buffer.from(`9\r\n123456789\r\n0\r\n${trailer}`),
        credential: UNSIGNED_TRAILER,
        fields: { 'x-amz-decoded-content-length': '9' },
      }),
    ).rejects.toMatchObject({ code: 'MalformedTrailerError' });
  });

  it('comes whole, however it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        async (chunks, pieceBytes) => {
          const payload = Buffer.concat(chunks);
          const checksum = Buffer.alloc(4);
          checksum.writeUInt32BE(crc32(payload));
          const bytes = Buffer.concat([
            ...chunks.map((chunk) => frame(chunk.length, undefined, chunk)),
            Buffer.from(`0\r\nx-amz-checksum-crc32:${checksum.toString('base64')}\r\n\r\n`),
          ]);
          const decoded = await decode({
            bytes,
            credential: UNSIGNED_TRAILER,
            fields: { ...fields, 'x-amz-decoded-content-length': String(payload.length) },
            pieceBytes,
          });
          expect(decoded.equals(payload)).toBe(true);
        },
      ),
    );
  });
});
