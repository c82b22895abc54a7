// A write that is refused leaves nothing at pachd: no commit, and no file set with its bytes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Db, openDb } from '../../../devpachd/src/store/db.ts';
import { freshBucket, freshBucketName, repoOf } from '../support/buckets.ts';
import { sampleBytes } from '../support/clients.ts';
import { type Devpachd, startDevpachd } from '../support/devpachd.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, encode, type SendOptions, send, sendAndHangUp, sendRaw } from '../support/http.ts';
import { connectPachd, type Pachd } from '../support/pachd.ts';
import { type Draft, type Key, keyOf, sign } from '../support/signature.ts';
import { waitForRequests } from '../support/status.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { harmDone, NO_HARM } from './devpachd-debug.ts';

const ROOT = keyOf(ROOT_TOKEN);
/** Waits in memory, or streams into a file set. */
const SMALL = Buffer.from('small');
const LARGE = sampleBytes(3_000_000);
const OTHER_ETAG = '"00000000000000000000000000000000-1"';

let dataDir: string;
let devpachd: Devpachd;
let db: Db;
let pachd: Pachd;
let tusk: Tusk;
let bucket: string;
let reader: Key;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tusk-refusals-'));
  devpachd = await startDevpachd({ dataDir, auth: true });
  db = openDb(dataDir);
  pachd = connectPachd(devpachd.address, ROOT_TOKEN);
  tusk = await startTusk({ pachd: devpachd.address, env: { TUSK_ACCESS_LOG: 'off' } });
  bucket = await freshBucket(tusk, ROOT);
  await put('kept', SMALL);
  await put('folder/kept', SMALL);
  await eventually(
    'the head is finished',
    () => pachd.headOf(repoOf(bucket)),
    ({ finished }) => finished !== undefined,
  );
  // The set by which it is read stays.
  await ask('GET', `/${bucket}`);
  reader = keyOf(await pachd.robotToken('reader'));
  await pachd.grant(repoOf(bucket), 'robot:reader', ['repoReader']);
});
afterAll(async () => {
  expect(await harmDone(devpachd.address)).toEqual(NO_HARM);
  pachd.close();
  await db.close();
  await tusk.stop();
  await devpachd.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const ask = (method: string, path: string, options: SendOptions = {}): Promise<Answer> =>
  send(tusk.url, method, path, { key: ROOT, ...options });
const put = (key: string, body: Uint8Array, options: SendOptions = {}): Promise<Answer> =>
  ask('PUT', `/${bucket}/${key}`, { body, ...options });
const atPachd = () => ({ commits: db.commits.getKeysCount(), fileSets: db.fileSets.getKeysCount() });

/** Nothing more is there than before, at the latest when pachd has collected what was given up. */
async function expectNothingLeft<T>(request: () => Promise<T>): Promise<T> {
  const before = atPachd();
  const answer = await request();
  expect(atPachd().commits).toBe(before.commits);
  await eventually('the file sets are gone', atPachd, ({ fileSets }) => fileSets === before.fileSets);
  return answer;
}

async function expectRefused(request: () => Promise<Answer>, code: string): Promise<void> {
  expect(await expectNothingLeft(request)).toMatchObject({ code });
}

describe.each([
  ['small', SMALL],
  ['large', LARGE],
])('a %s object', (_, body) => {
  it.each<[what: string, code: string, key: string, options: SendOptions]>([
    ['with another Content-MD5', 'BadDigest', 'new', { headers: { 'content-md5': 'QVKQdpWURg4uSFkikE80XQ==' } }],
    ['with another x-amz-content-sha256', 'XAmzContentSHA256Mismatch', 'new', { payloadHash: '0'.repeat(64) }],
    ['with another checksum', 'BadDigest', 'new', { headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }],
    ['with a wrong chunk signature', 'SignatureDoesNotMatch', 'new', { signing: 'v4-streaming-bad' }],
    ['that is there already', 'PreconditionFailed', 'kept', { headers: { 'if-none-match': '*' } }],
    ['that has another ETag', 'PreconditionFailed', 'kept', { headers: { 'if-match': OTHER_ETAG } }],
    ['that is not there', 'NoSuchKey', 'new', { headers: { 'if-match': OTHER_ETAG } }],
    ['below an object', 'ObjectNameConflict', 'kept/below', {}],
    ['over a folder', 'ObjectNameConflict', 'folder', {}],
    ['under a name that pachd does not take', 'InvalidFilePath', 'a*b', {}],
  ])('%s is refused: %s', async (_what, code, key, options) => {
    await expectRefused(() => put(encode(key), body, options), code);
  });

  it('in a bucket that is not there, or is a commit, or the output of another', async () => {
    const { branch, repo, project } = repoOf(bucket);
    const version = (await ask('HEAD', `/${bucket}/kept`)).headers['x-amz-version-id'];
    const head = (await pachd.inspectBranch(repoOf(bucket))).head?.id ?? version;
    await expectRefused(() => ask('PUT', `/${freshBucketName()}/new`, { body }), 'NoSuchBucket');
    await expectRefused(() => ask('PUT', `/${head}.${bucket}/new`, { body }), 'MethodNotAllowed');
    const output = { project, repo: `${repo}-out-${body.length}`, branch };
    await pachd.createRepo(output);
    await pachd.createBranch(output, [repoOf(bucket)]);
    const outputBucket = `${branch}.${output.repo}.${project}`;
    await expectRefused(() => ask('PUT', `/${outputBucket}/new`, { body }), 'WriteToOutputBranch');
    await pachd.deleteRepo(output);
  });

  it('of somebody who may not write', async () => {
    await expectRefused(() => put('new', body, { key: reader }), 'AccessDenied');
    await expectRefused(() => put('new', body, { key: keyOf('nobody') }), 'InvalidAccessKeyId');
  });

  it('whose client goes away in the middle of it', async () => {
    const draft: Draft = { method: 'PUT', path: `/${bucket}/new`, query: [], headers: { host: 'x' }, body };
    const signed = await sign(draft, 'v4', { key: ROOT, at: new Date() });
    const lines = Object.entries({ ...signed.headers, 'content-length': String(body.length) });
    const head = `PUT ${signed.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    for (const part of [0.4, 0.7, 0.99]) {
      const half = body.subarray(0, Math.floor(body.length * part));
      await expectNothingLeft(async () => {
        await sendAndHangUp(tusk.url, Buffer.concat([Buffer.from(head), half]));
        await waitForRequests(tusk, 0);
      });
    }
    expect((await ask('GET', `/${bucket}/new`)).code).toBe('NoSuchKey');
  });

  it('as a part of an upload', async () => {
    const id = await begin('upload');
    const part = (options: SendOptions, uploadId = id) =>
      ask('PUT', `/${bucket}/upload`, {
        query: [
          ['partNumber', '1'],
          ['uploadId', uploadId],
        ],
        body,
        ...options,
      });
    const headers = { 'content-md5': 'QVKQdpWURg4uSFkikE80XQ==' };
    await expectRefused(() => part({ headers }), 'BadDigest');
    await expectRefused(() => part({ payloadHash: '0'.repeat(64) }), 'XAmzContentSHA256Mismatch');
    await expectRefused(() => part({}, 'another'), 'NoSuchUpload');
    await expectRefused(() => part({ key: reader }), 'AccessDenied');
  });
});

describe('an upload', () => {
  it('is not completed by parts that are too small, unknown, others, or out of order', async () => {
    const id = await begin('upload');
    const [one, two] = [await partOf('upload', id, 1, SMALL), await partOf('upload', id, 2, SMALL)];
    await expectRefused(() => complete('upload', id, [one, two]), 'EntityTooSmall');
    await expectRefused(() => complete('upload', id, [two, one]), 'InvalidPartOrder');
    await expectRefused(() => complete('upload', id, [[1, OTHER_ETAG]]), 'InvalidPart');
    await expectRefused(() => complete('upload', id, [[3, one[1]]]), 'InvalidPart');
    await expectRefused(() => complete('upload', id, []), 'MalformedXML');
    await expectRefused(() => complete('upload', id, [one], { key: reader }), 'AccessDenied');
  });

  it('is not completed on a condition that does not hold, or where its object cannot be', async () => {
    const id = await begin('kept');
    const part = await partOf('kept', id, 1, LARGE);
    await expectRefused(
      () => complete('kept', id, [part], { headers: { 'if-none-match': '*' } }),
      'PreconditionFailed',
    );
    await expectRefused(
      () => complete('kept', id, [part], { headers: { 'if-match': OTHER_ETAG } }),
      'PreconditionFailed',
    );
    const below = await begin('kept/below');
    const partBelow = await partOf('kept/below', below, 1, SMALL);
    await expectRefused(() => complete('kept/below', below, [partBelow]), 'ObjectNameConflict');
  });
});

describe('a copy', () => {
  const copy = (key: string, source: string, headers: Readonly<Record<string, string>> = {}, who = ROOT) =>
    ask('PUT', `/${bucket}/${key}`, {
      key: who,
      headers: { ...headers, 'x-amz-copy-source': encode(`/${bucket}/${source}`) },
    });

  it('of what is not there, of what is another, to where it cannot be, or by who may not', async () => {
    await expectRefused(() => copy('new', 'absent'), 'NoSuchKey');
    await expectRefused(() => copy('new', 'kept', { 'x-amz-copy-source-if-match': OTHER_ETAG }), 'PreconditionFailed');
    await expectRefused(() => copy('folder/kept', 'kept', { 'if-none-match': '*' }), 'PreconditionFailed');
    await expectRefused(() => copy('kept/below', 'kept'), 'ObjectNameConflict');
    await expectRefused(() => copy('kept', 'kept'), 'InvalidRequest');
    await expectRefused(() => copy('new', 'kept', {}, reader), 'AccessDenied');
  });
});

describe('a deletion', () => {
  const deleteAll = (body: string, options: SendOptions = {}) =>
    ask('POST', `/${bucket}`, { query: [['delete', null]], body, ...options });

  it('of an object with another ETag, or by who may not', async () => {
    await expectRefused(
      () => ask('DELETE', `/${bucket}/kept`, { headers: { 'if-match': OTHER_ETAG } }),
      'PreconditionFailed',
    );
    await expectRefused(() => ask('DELETE', `/${bucket}/kept`, { key: reader }), 'AccessDenied');
  });

  it('of many by a document that is none, or has too many, or by who may not', async () => {
    const object = '<Object><Key>kept</Key></Object>';
    await expectRefused(() => deleteAll(`<Delete>${object}`), 'MalformedXML');
    await expectRefused(() => deleteAll(`<Delete>${object.repeat(1_001)}</Delete>`), 'MalformedXML');
    const answer = await expectNothingLeft(() => deleteAll(`<Delete>${object}</Delete>`, { key: reader }));
    expect(answer.text).toContain('<Code>AccessDenied</Code>');
  });

  it('of what is not there makes no commit', async () => {
    expect((await expectNothingLeft(() => ask('DELETE', `/${bucket}/absent`))).status).toBe(204);
  });
});

it('an object that is too large is refused before its body comes', async () => {
  const draft: Draft = { method: 'PUT', path: `/${bucket}/new`, query: [], headers: { host: 'x' }, body: SMALL };
  const signed = await sign(draft, 'v4-unsigned-payload', { key: ROOT, at: new Date() });
  const lines = Object.entries({ ...signed.headers, 'content-length': String(5 * 2 ** 30 + 1) });
  const head = `PUT ${signed.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  expect(await expectNothingLeft(() => sendRaw(tusk.url, head))).toContain('<Code>EntityTooLarge</Code>');
});

async function begin(key: string): Promise<string> {
  const { text } = await ask('POST', `/${bucket}/${key}`, { query: [['uploads', null]] });
  return /<UploadId>([^<]*)</.exec(text)?.[1] ?? '';
}

type Part = readonly [number: number, etag: string];

async function partOf(key: string, id: string, number: number, body: Uint8Array): Promise<Part> {
  const query = [['partNumber', String(number)] as const, ['uploadId', id] as const];
  return [number, (await ask('PUT', `/${bucket}/${key}`, { query, body })).headers['etag'] ?? ''];
}

function complete(key: string, id: string, parts: readonly Part[], options: SendOptions = {}): Promise<Answer> {
  const named = parts.map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${named.join('')}</CompleteMultipartUpload>`;
  return ask('POST', `/${bucket}/${key}`, { query: [['uploadId', id]], body, ...options });
}
