import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket } from '../../support/buckets.ts';
import { sampleBytes } from '../../support/clients.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { digestOf, rangesOf, SIZES_BYTES, type Store, storeOf } from './sizes.ts';

const MIB = 1 << 20;
/** The bytes of every object here are the first ones of these. */
const SAMPLE = sampleBytes(Math.max(...SIZES_BYTES));
const contentOf = (sizeBytes: number) => SAMPLE.subarray(0, sizeBytes);

let tusk: Tusk;
let store: Store;
beforeAll(async () => {
  tusk = await startTusk();
  store = storeOf(tusk.url, await freshBucket(tusk));
});
afterAll(() => tusk.stop());

describe.each(SIZES_BYTES)('an object of %i bytes', (sizeBytes) => {
  const key = `size/${sizeBytes}`;
  const whole = digestOf(contentOf(sizeBytes));

  it('comes back byte for byte, with one ETag in every answer', async () => {
    const etag = await store.put(key, contentOf(sizeBytes));
    expect(await store.get(key)).toEqual({ digest: whole, etag, sizeBytes });
    expect(await store.headOf(key)).toEqual({ etag, sizeBytes });
    expect((await store.listEtags()).get(key)).toBe(etag);
    expect(await store.copy(key, 'copy')).toBe(etag);
    expect(await store.headOf('copy')).toEqual({ etag, sizeBytes });
  });

  it('gives every range, and none past its end', async () => {
    for (const [first, last] of rangesOf(sizeBytes)) {
      const digest = digestOf(SAMPLE.subarray(first, last + 1));
      expect(await store.get(key, `bytes=${first}-${last}`), `${first}-${last}`).toMatchObject({ digest });
    }
    const suffixBytes = Math.min(sizeBytes, 1_000);
    if (sizeBytes > 0) {
      const digest = digestOf(contentOf(sizeBytes).subarray(sizeBytes - suffixBytes));
      expect(await store.get(key, `bytes=-${suffixBytes}`)).toMatchObject({ digest });
    }
    await expect(store.get(key, `bytes=${sizeBytes}-`)).rejects.toThrow('<Code>InvalidRange</Code>');
  });
});

it('an upload is its parts in order, however they were sent, and those that were sent again', async () => {
  const [one, two, three] = [SAMPLE.subarray(0, 5 * MIB + 1), SAMPLE.subarray(7, 5 * MIB + 7), SAMPLE.subarray(3, 4)];
  const whole = Buffer.concat([one, two, three]);
  const etag = await store.upload('parts', [
    [9_999, three],
    [1, SAMPLE.subarray(50, 60)],
    [7, two],
    [1, one],
    [7, two],
  ]);
  expect(await store.get('parts')).toEqual({ digest: digestOf(whole), etag, sizeBytes: whole.length });
});

it('an upload may be made of ranges of other objects', async () => {
  const sizeBytes = 20 * MIB + 1;
  const source = `size/${sizeBytes}`;
  const ranges = [
    { source, first: 1, last: 5 * MIB },
    { source, first: 999_999, last: 999_999 + 5 * MIB },
    { source, first: 19 * MIB - 1, last: 20 * MIB - 1 },
  ];
  const whole = Buffer.concat(ranges.map(({ first, last }) => SAMPLE.subarray(first, last + 1)));
  const [one, two, three] = ranges.map((range, at) => [at + 1, range] as const);
  const etag = await store.upload('ranges', [two!, three!, one!]);
  expect(await store.get('ranges')).toEqual({ digest: digestOf(whole), etag, sizeBytes: whole.length });
});
