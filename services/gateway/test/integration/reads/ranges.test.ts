// Small ranges of large objects.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Reading, startReading } from './reading.ts';

const SIZE_BYTES = 3_000_001;

let reading: Reading;
let bucket: string;
let content: Buffer;
beforeAll(async () => {
  reading = await startReading(false, { TUSK_HEAD_TTL_MS: '60000' });
  bucket = await reading.bucket();
  content = (await reading.fill(bucket, ['large'], SIZE_BYTES)).get('large')!;
});
afterAll(() => reading.stop());

async function range(first: number, last: number): Promise<void> {
  const { status, body } = await reading.ask('GET', bucket, 'large', { headers: { range: `bytes=${first}-${last}` } });
  expect(status).toBe(206);
  expect(body.equals(content.subarray(first, last + 1))).toBe(true);
}

it('a footer that is read in steps is one call, and so are readers of neighbours at once', async () => {
  // By which its set is had.
  await reading.ask('HEAD', bucket, 'large');
  const steps = async () => {
    for (const length of [8, 4_096, 60_000]) await range(SIZE_BYTES - length, SIZE_BYTES - 1);
  };
  expect(await reading.callsOf(steps)).toEqual({ GetFile: 1 });
  const neighbours = () => Promise.all(Array.from({ length: 32 }, (_, at) => range(at * 8_000, at * 8_000 + 7_999)));
  expect(await reading.callsOf(neighbours)).toEqual({ GetFile: 1 });
  expect(await reading.callsOf(neighbours)).toEqual({});
});

it('any range is what was written, whatever was read before', async () => {
  const ranges = fc.tuple(fc.nat(SIZE_BYTES - 1), fc.nat(1_500_000));
  await fc.assert(
    fc.asyncProperty(fc.array(ranges, { minLength: 1, maxLength: 4 }), async (asked) => {
      await Promise.all(asked.map(([first, length]) => range(first, Math.min(SIZE_BYTES - 1, first + length))));
    }),
    { numRuns: 30 },
  );
});
