// Who ends an upload when several do it at once, and what is left of it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../../support/buckets.ts';
import { sampleBytes } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { element, PART_BYTES, uploadsOf } from '../../support/uploads.ts';
import { type Controlled, startControlled } from './controlled.ts';
import { fileSetsOf, hasFileSet } from './file-sets.ts';

let tusk: Tusk;
let pachd: Controlled;
let bucket: string;
let uploads: ReturnType<typeof uploadsOf>;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  pachd = await startControlled();
  cleanups.push(() => pachd.stop());
  tusk = await startTusk({ pachd: pachd.address });
  cleanups.push(() => tusk.stop());
  bucket = await freshBucket(tusk);
  uploads = uploadsOf(tusk.url, bucket);
});
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const big = sampleBytes(PART_BYTES, 'big');

it('is completed once by all who complete it with the same parts at once, and all get one answer', async () => {
  const id = await uploads.create('same');
  const parts = [await uploads.part('same', id, 1, big), await uploads.part('same', id, 2, 'end')];
  const [commits, counters] = [await tusk.pachd.commitCount(repoOf(bucket)), await pachd.debug.counters()];
  const answers = await Promise.all(Array.from({ length: 8 }, () => uploads.complete('same', id, parts)));
  for (const { status, text, headers } of answers) {
    expect(status).toBe(200);
    expect(element(text, 'ETag')).toBe(element(answers[0]?.text ?? '', 'ETag'));
    expect(headers['x-amz-version-id']).toBe(answers[0]?.headers['x-amz-version-id']);
  }
  expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(commits + 1);
  const after = await pachd.debug.counters();
  const called = (method: string) =>
    (after.calls[`pfs_v2.API/${method}`] ?? 0) - (counters.calls[`pfs_v2.API/${method}`] ?? 0);
  expect({
    composed: called('ComposeFileSet'),
    joined: called('CreateFileSet'),
    written: called('ModifyFile'),
  }).toEqual({
    composed: 2,
    joined: 1,
    written: 1,
  });
});

it('is completed by one of those who name other parts', async () => {
  const id = await uploads.create('other');
  const parts = await Promise.all([1, 2, 3, 4].map((number) => uploads.part('other', id, number, `part ${number}`)));
  const answers = await Promise.all(parts.map((part) => uploads.complete('other', id, [part])));
  const won = answers.findIndex(({ status }) => status === 200);
  expect(answers.map(({ status, code }) => code || status)).toEqual(
    parts.map((_, at) => (at === won ? 200 : 'NoSuchUpload')),
  );
  expect(await uploads.ask('GET', 'other')).toMatchObject({ status: 200, text: `part ${won + 1}` });
});

it.each(Array.from({ length: 10 }, (_, round) => round))(
  'is either completed or aborted by those who do both at once (%i)',
  async (round) => {
    const key = `race/${round}`;
    const id = await uploads.create(key);
    const part = await uploads.part(key, id, 1, 'all');
    const ends = [() => uploads.complete(key, id, [part]), () => uploads.abort(key, id)];
    if (round % 2 === 1) ends.reverse();
    const answers = await Promise.all(ends.map((end) => end()));
    const [completed, aborted] = round % 2 === 1 ? [answers[1], answers[0]] : answers;
    const there = (await uploads.ask('GET', key)).status;
    expect([completed?.status, aborted?.status, there]).toEqual(
      completed?.status === 200 ? [200, 404, 200] : [404, 204, 404],
    );
  },
);

it('waits with an abort for who completes it, and is aborted when that fails', async () => {
  const id = await uploads.create('fails');
  const part = await uploads.part('fails', id, 1, 'all');
  const before = await pachd.faults();
  const [completed, aborted] = await pachd.withFaults(
    ["ModifyFile error UNKNOWN 'the disk is on fire' once"],
    async () => {
      const completing = uploads.complete('fails', id, [part]);
      await eventually(
        'it is being completed',
        () => pachd.faults(),
        (faults) => faults > before,
      );
      return Promise.all([completing, uploads.abort('fails', id)]);
    },
  );
  expect(completed?.status).toBe(500);
  expect(aborted?.status).toBe(204);
  expect(await uploads.ask('GET', 'fails')).toMatchObject({ status: 404 });
});

it('is completed although who asked for it has gone away', async () => {
  const id = await uploads.create('gone');
  const part = await uploads.part('gone', id, 1, 'all');
  const commits = await tusk.pachd.commitCount(repoOf(bucket));
  const before = await pachd.faults();
  await pachd.withFaults(['ComposeFileSet delay 700 once'], async () => {
    const gone = new AbortController();
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.etag}</ETag></Part></CompleteMultipartUpload>`;
    const asked = fetch(`${tusk.url}/${bucket}/gone?uploadId=${id}`, { method: 'POST', body, signal: gone.signal });
    await eventually(
      'it is being completed',
      () => pachd.faults(),
      (faults) => faults > before,
    );
    gone.abort();
    await expect(asked).rejects.toThrow();
  });
  expect(await uploads.complete('gone', id, [part])).toMatchObject({ status: 200 });
  expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(commits + 1);
});

it('leaves no file set behind: of a part that was sent again, when it is aborted, when it is completed', async () => {
  const goes = async (fileSetId: string | undefined) =>
    eventually(
      'the file set goes',
      () => hasFileSet(tusk, fileSetId ?? ''),
      (there) => !there,
    );
  const id = await uploads.create('sets');
  await uploads.part('sets', id, 1, 'first');
  const [replaced] = await fileSetsOf(tusk, bucket, id);
  await uploads.part('sets', id, 1, 'again');
  const [kept] = await fileSetsOf(tusk, bucket, id);
  expect(kept).not.toBe(replaced);
  await goes(replaced);
  expect(await hasFileSet(tusk, kept ?? '')).toBe(true);
  await uploads.abort('sets', id);
  await goes(kept);

  const completed = await uploads.create('sets');
  const parts = [await uploads.part('sets', completed, 1, big), await uploads.part('sets', completed, 2, 'end')];
  const sets = await fileSetsOf(tusk, bucket, completed);
  expect(await uploads.complete('sets', completed, parts)).toMatchObject({ status: 200 });
  for (const set of sets) await goes(set);
  expect((await uploads.ask('GET', 'sets')).body.equals(Buffer.concat([big, Buffer.from('end')]))).toBe(true);
});

it('has lost parts when pachd has lost their file sets', async () => {
  const id = await uploads.create('lost');
  const part = await uploads.part('lost', id, 1, 'x');
  const lost = "ComposeFileSet error UNKNOWN 'the operation would create a dangling reference' once";
  const refused = await pachd.withFaults([lost], () => uploads.complete('lost', id, [part]));
  expect(refused).toMatchObject({ status: 400, code: 'InvalidPart' });
});
