// An object can lie neither below another nor where others lie below it: what is looked up for that, and that it is right.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repoOf } from '../support/buckets.ts';
import { eventually } from '../support/eventually.ts';
import { type Reading, startReading } from './reads/reading.ts';

describe.each([
  ['off', false],
  ['on', true],
])('with auth %s', (_, auth) => {
  let reading: Reading;
  beforeAll(async () => {
    reading = await startReading(auth, { TUSK_HEAD_TTL_MS: '60000' });
  });
  afterAll(() => reading.stop());

  const put = async (bucket: string, key: string) =>
    (await reading.ask('PUT', bucket, key, { body: Buffer.from(key) })).status;

  it('a new folder of an open commit is filled without a look for each object', async () => {
    const bucket = await reading.bucket();
    await reading.fill(bucket, ['old/a'], 10);
    const id = await reading.startCommit(bucket);
    let filled = 0;
    const fill = async () => {
      for (let at = 0; at < 20; at++) expect(await put(bucket, `new/folder/${filled++}`)).toBe(200);
    };
    // That there is no such folder is found out beside the first of them.
    expect(await reading.callsOf(fill)).toMatchObject({ GlobFile: expect.any(Number) });
    expect(await reading.callsOf(fill)).toEqual({});
    expect(await put(bucket, 'old')).toBe(409);
    expect(await put(bucket, 'old/a/b')).toBe(409);
    expect(await put(bucket, 'new/folder/3/below')).toBe(409);
    expect(await put(bucket, 'new/folder')).toBe(409);
    await reading.pachd.finishCommit(repoOf(bucket), id);
    expect((await reading.pachd.headOf(repoOf(bucket))).error).toBe('');
  });
});

describe('whatever was written and deleted before, in commits that are finished or not', () => {
  const KEYS = ['a', 'a/b', 'a/b/c', 'd/e'];
  let reading: Reading;
  beforeAll(async () => {
    // A state is believed for a moment only, so that commits are seen both pending and finished.
    reading = await startReading(false, { TUSK_HEAD_TTL_MS: '1' });
  });
  afterAll(() => reading.stop());

  const headFinished = (bucket: string) =>
    eventually(
      'the head is finished',
      () => reading.pachd.headOf(repoOf(bucket)),
      ({ finished }) => finished !== undefined,
    );
  const putThere = async (bucket: string, key: string, there: Set<string>) => {
    const collides = [...there].some((other) => other.startsWith(`${key}/`) || key.startsWith(`${other}/`));
    const { status } = await reading.ask('PUT', bucket, key, { body: Buffer.from(key) });
    expect([key, status, ...there]).toEqual([key, collides ? 409 : 200, ...there]);
    if (!collides) there.add(key);
  };
  const step = fc.record({
    kind: fc.constantFrom('put', 'put', 'delete', 'finish'),
    key: fc.constantFrom(...KEYS),
  });

  it('an object is refused just where it would collide', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async (steps) => {
        const bucket = await reading.bucket();
        const there = new Set<string>();
        for (const { kind, key } of steps) {
          if (kind === 'finish') await headFinished(bucket);
          if (kind === 'delete') {
            expect((await reading.ask('DELETE', bucket, key)).status).toBe(204);
            there.delete(key);
          }
          if (kind === 'put') await putThere(bucket, key, there);
          // A look while the commit is likely to be pending.
          expect([key, (await reading.ask('GET', bucket, key)).status]).toEqual([key, there.has(key) ? 200 : 404]);
        }
      }),
      { numRuns: 12 },
    );
  });
});
