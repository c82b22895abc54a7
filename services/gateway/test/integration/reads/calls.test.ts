// What reads cost pachd: how many calls, and which.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { type Reading, startReading } from './reading.ts';

const PROPERTIES_OF_A_SET = { GlobFile: 1 };

describe.each([
  ['off', false],
  ['on', true],
])('with auth %s', (_, auth) => {
  let reading: Reading;
  beforeAll(async () => {
    // So long that no other look-up comes between.
    reading = await startReading(auth, { TUSK_HEAD_TTL_MS: '60000' });
  });
  afterAll(() => reading.stop());

  it('a GET of a small object is one call, and none when it is asked for again', async () => {
    const bucket = await reading.bucket();
    const contents = await reading.fill(bucket, ['folder/a', 'folder/b', 'c'], 1_000);
    await reading.ask('GET', bucket, 'folder/a');
    for (const [key, content] of [...contents].slice(1)) {
      const get = async () => expect((await reading.ask('GET', bucket, key)).body).toEqual(content);
      expect(await reading.callsOf(get)).toEqual({ GetFileTAR: 1 });
      expect(await reading.callsOf(get)).toEqual({});
      expect(await reading.callsOf(() => reading.ask('HEAD', bucket, key))).toEqual({});
    }
  });

  it('many who ask for one object at once are one call', async () => {
    const bucket = await reading.bucket();
    const contents = await reading.fill(bucket, ['a'], 1_000);
    const all = async () => {
      const answers = await Promise.all(Array.from({ length: 64 }, () => reading.ask('GET', bucket, 'a')));
      for (const { body } of answers) expect(body).toEqual(contents.get('a'));
    };
    expect(await reading.callsOf(all)).toEqual({ GetFileSet: 1, GetFileTAR: 1 });
  });

  it('a HEAD is one call; what is not there is remembered, and a folder is never looked at', async () => {
    const bucket = await reading.bucket();
    await reading.fill(bucket, ['a', 'folder/b'], 1_000);
    await reading.ask('GET', bucket, 'folder/b');
    const refused = auth ? { GlobFile: 2 } : PROPERTIES_OF_A_SET;
    const status = async (method: string, key: string) => (await reading.ask(method, bucket, key)).status;
    expect(await reading.callsOf(async () => expect(await status('HEAD', 'a')).toBe(200))).toEqual(refused);
    for (const key of ['missing', 'folder', 'folder/missing']) {
      const missing = async () => expect(await status('HEAD', key)).toBe(404);
      expect(await reading.callsOf(missing)).toEqual(PROPERTIES_OF_A_SET);
      expect(await reading.callsOf(missing)).toEqual({});
      expect(await reading.callsOf(async () => expect(await status('GET', key)).toBe(404))).toEqual({});
    }
    const absent = async () => expect(await status('GET', 'folder/absent')).toBe(404);
    expect(await reading.callsOf(absent)).toEqual({ GetFileTAR: 1 });
    expect(await reading.callsOf(absent)).toEqual({});
  });

  it('what is not there is not there, whatever its folder is called', async () => {
    const bucket = await reading.bucket();
    await reading.fill(bucket, ['my folder/file'], 10);
    for (const key of ['my folder/missing', 'output branch/missing']) {
      expect([key, (await reading.ask('GET', bucket, key)).code]).toEqual([key, 'NoSuchKey']);
    }
  });

  it('a GET of a small object of an open commit is one snapshot of it and one call', async () => {
    const bucket = await reading.bucket();
    await reading.fill(bucket, ['folder/before'], 1_000);
    const id = await reading.startCommit(bucket);
    const contents = { 'folder/a': 'one', b: 'two' };
    await reading.pachd.writeOpen(repoOf(bucket), id, { put: contents, remove: [] });
    for (const [key, content] of Object.entries(contents)) {
      const get = async () => expect((await reading.ask('GET', `${id}.${bucket}`, key)).text).toBe(content);
      expect(await reading.callsOf(get)).toEqual({ GetFileSet: 1, GetFileTAR: 1 });
    }
    for (const key of ['missing', 'folder', 'b/below']) {
      expect((await reading.ask('GET', `${id}.${bucket}`, key)).status).toBe(404);
    }
    await reading.pachd.finishCommit(repoOf(bucket), id);
  });

  it('what a commit of tusk did not change is known in it', async () => {
    const bucket = await reading.bucket();
    const contents = await reading.fill(bucket, ['a', 'b'], 1_000);
    for (const key of ['a', 'b', 'missing']) await reading.ask('GET', bucket, key);
    for (const [key, body] of [
      ['b', 'new'],
      ['c', 'other'],
      ['d/e', 'below'],
    ] as const) {
      expect((await reading.ask('PUT', bucket, key, { body: Buffer.from(body) })).status).toBe(200);
    }
    await finished(reading, bucket);
    const again = async () => {
      expect((await reading.ask('GET', bucket, 'a')).body).toEqual(contents.get('a'));
      expect((await reading.ask('GET', bucket, 'b')).text).toBe('new');
      expect((await reading.ask('GET', bucket, 'c')).text).toBe('other');
      expect((await reading.ask('GET', bucket, 'missing')).status).toBe(404);
    };
    expect(await withoutSets(again)).toEqual({});
    expect((await reading.ask('DELETE', bucket, 'a')).status).toBe(204);
    await finished(reading, bucket);
    const gone = async () => expect((await reading.ask('GET', bucket, 'a')).status).toBe(404);
    expect(await withoutSets(gone)).toEqual({});
  });

  /** tusk gets the set of a commit beside its readers when the branch comes to rest. */
  async function withoutSets(work: () => Promise<unknown>) {
    const { GetFileSet: _, ...calls } = await reading.callsOf(work);
    return calls;
  }

  it('a set that pachd has thrown away is got anew', async () => {
    const bucket = await reading.bucket();
    const contents = await reading.fill(bucket, ['a', 'b'], 1_000);
    await reading.ask('GET', bucket, 'a');
    await reading.debug.setFaults(["GetFileTAR error UNKNOWN 'path does not exist' once"]);
    const get = async () => expect((await reading.ask('GET', bucket, 'b')).body).toEqual(contents.get('b'));
    expect(await reading.callsOf(get)).toEqual({ GetFileSet: 1, GetFileTAR: 2 });
  });
});

/** Waits until what was written last is no pending commit any more. */
async function finished(reading: Reading, bucket: string): Promise<void> {
  await eventually(
    'the head is finished',
    () => reading.pachd.headOf(repoOf(bucket)),
    ({ finished }) => finished !== undefined,
  );
}
