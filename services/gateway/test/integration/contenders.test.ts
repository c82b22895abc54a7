// Many write one key on a condition that only the first of them can meet.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { type Answer, encode, send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';
import { harmDone, NO_HARM } from './devpachd-debug.ts';

const CONTENDERS = 12;

let tusk: Tusk;
let bucket: string;
beforeAll(async () => {
  tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
});
afterAll(async () => {
  expect(await harmDone(tusk.pachdAddress)).toEqual(NO_HARM);
  await tusk.stop();
});

type Headers = Readonly<Record<string, string>>;
/** Asks for the write that a contender has prepared. */
type Contender = (headers: Headers) => Promise<Answer>;

const ask = (method: string, key: string, options: Parameters<typeof send>[3] = {}) =>
  send(tusk.url, method, `/${bucket}/${key}`, options);
const etagOf = ({ headers }: Answer) => headers['etag'] ?? '';

const WAYS: readonly (readonly [name: string, prepare: (content: string) => Promise<Contender>])[] = [
  ['PutObject', async (content) => (headers) => ask('PUT', 'key', { body: content, headers })],
  [
    'PutObject of a large object',
    async (content) => (headers) => ask('PUT', 'key', { body: content.padEnd(1_200_000), headers }),
  ],
  [
    'CopyObject',
    async (content) => {
      const source = `source/${content}`;
      await ask('PUT', source, { body: content });
      const from = { 'x-amz-copy-source': encode(`/${bucket}/${source}`) };
      return (headers) => ask('PUT', 'key', { headers: { ...headers, ...from } });
    },
  ],
  [
    'CompleteMultipartUpload',
    async (content) => {
      const { text } = await ask('POST', 'key', { query: [['uploads', null]] });
      const id = ['uploadId', /<UploadId>([^<]*)</.exec(text)?.[1] ?? ''] as const;
      const part = await ask('PUT', 'key', { query: [['partNumber', '1'], id], body: content });
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etagOf(part)}</ETag></Part></CompleteMultipartUpload>`;
      return (headers) => ask('POST', 'key', { query: [id], body, headers });
    },
  ],
];

/** Lets all of them go at once. @returns what the winner, of which there is exactly one, wrote */
async function contend(prepare: (content: string) => Promise<Contender>, headers: Headers): Promise<string> {
  const contents = Array.from({ length: CONTENDERS }, (_, at) => `content-${at}`);
  const contenders = await Promise.all(contents.map(prepare));
  const commitsBefore = await tusk.pachd.commitCount(repoOf(bucket));
  const answers = await Promise.all(contenders.map((contender) => contender(headers)));
  const winners = contents.filter((_, at) => answers[at]?.status === 200);
  expect(winners).toHaveLength(1);
  const refusals = answers.filter(({ status }) => status !== 200).map(({ code }) => code);
  expect(new Set(refusals)).toEqual(new Set(['PreconditionFailed']));
  // Those that failed cost no commit.
  expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(commitsBefore + 1);
  return winners[0] as string;
}

describe.each(WAYS)('%s', (_, prepare) => {
  it('with If-None-Match: * has exactly one winner', async () => {
    bucket = await freshBucket(tusk);
    const winner = await contend(prepare, { 'if-none-match': '*' });
    expect((await ask('GET', 'key')).text.trim()).toBe(winner);
  });

  it('with If-Match has exactly one winner', async () => {
    bucket = await freshBucket(tusk);
    const etag = etagOf(await ask('PUT', 'key', { body: 'before' }));
    const winner = await contend(prepare, { 'if-match': etag });
    expect((await ask('GET', 'key')).text.trim()).toBe(winner);
  });
});

it('DeleteObject with If-Match against PutObject with it has exactly one winner', async () => {
  bucket = await freshBucket(tusk);
  const etag = etagOf(await ask('PUT', 'key', { body: 'before' }));
  const headers = { 'if-match': etag };
  const commitsBefore = await tusk.pachd.commitCount(repoOf(bucket));
  const answers = await Promise.all(
    Array.from({ length: CONTENDERS }, (_, at) =>
      at % 2 === 0 ? ask('DELETE', 'key', { headers }) : ask('PUT', 'key', { body: `content-${at}`, headers }),
    ),
  );
  const winners = answers.flatMap(({ status }, at) => (status < 300 ? [at] : []));
  expect(winners).toHaveLength(1);
  expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(commitsBefore + 1);
  const winner = winners[0] as number;
  const got = await ask('GET', 'key');
  if (winner % 2 === 0) expect(got.code).toBe('NoSuchKey');
  else expect(got.text).toBe(`content-${winner}`);
  // The object is gone, or another.
  const refusals = answers.flatMap(({ status, code }) => (status < 300 ? [] : [code]));
  expect(new Set(refusals)).toEqual(new Set([winner % 2 === 0 ? 'NoSuchKey' : 'PreconditionFailed']));
});
