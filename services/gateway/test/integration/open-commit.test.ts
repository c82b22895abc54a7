import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { sampleBytes } from '../support/clients.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';
import { startFaultyPachd } from './chaos/faulty-pachd.ts';

/** More than what has a hash that tusk knows, so that it goes by a file set. */
const LARGE_BYTES = 2 << 20;

let tusk: Tusk;

beforeAll(async () => {
  tusk = await startTusk();
  return () => tusk.stop();
});

/** A commit that somebody has open, with a file and a deletion in it from before. */
async function openCommit() {
  const branch = await freshBucket(tusk);
  await tusk.pachd.putFiles(repoOf(branch), { 'old/kept': 'old', 'old/gone/below': 'old' });
  const id = await tusk.pachd.startCommit(repoOf(branch));
  await tusk.pachd.writeOpen(repoOf(branch), id, { put: { 'theirs/file': 'theirs' }, remove: ['old/gone/below'] });
  return { branch, id };
}

describe.each(['its branch', 'its commit'] as const)('an open commit, written through the bucket of %s', (through) => {
  it('takes what fits what it stands on and what it has changed, and refuses what would spoil it', async () => {
    const { branch, id } = await openCommit();
    const bucket = through === 'its branch' ? branch : `${id}.${branch}`;
    const put = async (key: string, body: string | Uint8Array = key) => {
      const { status, code } = await send(tusk.url, 'PUT', `/${bucket}/${key}`, { body });
      return status === 200 ? 'taken' : code;
    };
    const remove = async (key: string) => (await send(tusk.url, 'DELETE', `/${bucket}/${key}`)).status;

    expect(await put('theirs')).toBe('ObjectNameConflict');
    expect(await put('theirs/file/below')).toBe('ObjectNameConflict');
    expect(await put('old')).toBe('ObjectNameConflict');
    expect(await put('old/kept/below')).toBe('ObjectNameConflict');
    expect(await put('old/gone')).toBe('taken');

    expect(await put('ours/file')).toBe('taken');
    expect(await put('ours')).toBe('ObjectNameConflict');
    expect(await put('ours/file/below')).toBe('ObjectNameConflict');
    expect(await remove('ours/file')).toBe(204);
    expect(await put('ours')).toBe('taken');

    expect(await put('large', sampleBytes(LARGE_BYTES))).toBe('taken');
    expect(await put('large/below')).toBe('ObjectNameConflict');
    expect(await remove('large')).toBe(204);
    expect(await put('large/below')).toBe('taken');

    await tusk.pachd.finishCommit(repoOf(branch), id);
    expect((await tusk.pachd.headOf(repoOf(branch))).error).toBe('');
    const listed = (await send(tusk.url, 'GET', `/${branch}`)).text.match(/(?<=<Key>)[^<]*/g);
    expect(listed).toEqual(['large/below', 'old/gone', 'old/kept', 'ours', 'theirs/file']);
  });
});

it('what others put into an open commit meanwhile can be deleted and written over', async () => {
  const { branch, id } = await openCommit();
  expect((await send(tusk.url, 'PUT', `/${branch}/first`, { body: 'x' })).status).toBe(200);
  await tusk.pachd.writeOpen(repoOf(branch), id, { put: { 'late/one': 'late', 'late/two': 'late' }, remove: [] });
  expect((await send(tusk.url, 'DELETE', `/${branch}/late/one`)).status).toBe(204);
  expect((await send(tusk.url, 'PUT', `/${branch}/late/two`, { body: 'ours' })).status).toBe(200);
  await tusk.pachd.finishCommit(repoOf(branch), id);
  expect((await send(tusk.url, 'GET', `/${branch}/late/one`)).code).toBe('NoSuchKey');
  expect((await send(tusk.url, 'GET', `/${branch}/late/two`)).text).toBe('ours');
});

it('many writes into an open commit are read at once, and are one commit', async () => {
  const { branch, id } = await openCommit();
  const commits = await tusk.pachd.commitCount(repoOf(branch));
  const keys = Array.from({ length: 300 }, (_, at) => `many/${at % 7}/${at}`);
  let next = 0;
  const client = async () => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
      expect((await send(tusk.url, 'PUT', `/${branch}/${key}`, { body: key })).status).toBe(200);
      expect((await send(tusk.url, 'GET', `/${branch}/${key}`)).text).toBe(key);
    }
  };
  await Promise.all(Array.from({ length: 10 }, client));
  await tusk.pachd.finishCommit(repoOf(branch), id);
  expect((await send(tusk.url, 'GET', `/${branch}/${keys[299]}`)).text).toBe(keys[299]);
  expect(await tusk.pachd.commitCount(repoOf(branch))).toBe(commits);
});

it('what is written when somebody has just finished it goes into a commit of its own', async () => {
  const { branch, id } = await openCommit();
  expect((await send(tusk.url, 'PUT', `/${branch}/inside`, { body: 'inside' })).status).toBe(200);
  await tusk.pachd.finishCommit(repoOf(branch), id);
  expect((await send(tusk.url, 'PUT', `/${branch}/after`, { body: 'after' })).status).toBe(200);
  expect((await send(tusk.url, 'GET', `/${branch}/inside`)).text).toBe('inside');
  expect((await send(tusk.url, 'GET', `/${branch}/after`)).text).toBe('after');
  expect((await send(tusk.url, 'GET', `/${id}.${branch}/after`)).code).toBe('NoSuchKey');
});

it('a write into it is refused alike when somebody has just finished it, and later', async () => {
  const { branch, id } = await openCommit();
  const put = () => send(tusk.url, 'PUT', `/${id}.${branch}/late`, { body: 'late' });
  expect((await put()).status).toBe(200);
  await tusk.pachd.finishCommit(repoOf(branch), id);
  const messageOf = ({ text }: { readonly text: string }) => /<Message>[^<]*/.exec(text)?.[0];
  const atOnce = await put();
  expect(atOnce).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
  // It was looked at by the write that was refused.
  expect(messageOf(await put())).toBe(messageOf(atOnce));
});

it('a write whose answer from pachd was lost is not forgotten: what would collide with it is refused', async () => {
  const faulty = await startFaultyPachd();
  onTestFinished(() => faulty.stop());
  const gateway = await startTusk({ pachd: faulty.address });
  onTestFinished(() => gateway.stop().then(() => undefined));
  const branch = await freshBucket(gateway);
  const id = await gateway.pachd.startCommit(repoOf(branch));
  const put = (key: string) => send(gateway.url, 'PUT', `/${branch}/${key}`, { body: key });
  expect((await put('first')).status).toBe(200);
  await faulty.arm('AddFileSet after cut once');
  expect((await put('unsure')).status).toBe(503);
  expect((await put('unsure/below')).code).toBe('ObjectNameConflict');
  await gateway.pachd.finishCommit(repoOf(branch), id);
  expect((await gateway.pachd.headOf(repoOf(branch))).error).toBe('');
});
