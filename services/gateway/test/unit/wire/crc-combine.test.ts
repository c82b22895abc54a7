import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startChecksum } from '../../../src/s3/auth/checksum.ts';
import { type CrcAlgorithm, combineCrc } from '../../../src/s3/wire/crc-combine.ts';

async function sumOf(algorithm: CrcAlgorithm, bytes: Uint8Array): Promise<Buffer> {
  const sum = await startChecksum(algorithm);
  sum.update(bytes);
  return sum.digest();
}

describe.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s', (algorithm) => {
  it('of parts is that of the whole', async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(parts, async (chunks) => {
        const summed = await Promise.all(
          chunks.map(async (bytes) => ({ sum: await sumOf(algorithm, bytes), sizeBytes: bytes.length })),
        );
        expect(combineCrc(algorithm, summed)).toEqual(await sumOf(algorithm, Buffer.concat(chunks)));
      }),
    );
  });

  it('of large parts is that of the whole', async () => {
    const [first, second] = [Buffer.alloc(5 << 20, 'a'), Buffer.alloc((5 << 20) + 1, 'b')];
    const summed = await Promise.all(
      [first, second].map(async (bytes) => ({ sum: await sumOf(algorithm, bytes), sizeBytes: bytes.length })),
    );
    expect(combineCrc(algorithm, summed)).toEqual(await sumOf(algorithm, Buffer.concat([first, second])));
  });
});
