// Somebody's open commit, into which several workers write: what collides would lose all that is in it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBucketName, repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { connectPachd, type Pachd } from '../../support/pachd.ts';
import { type Fleet, startFleet } from './fleet.ts';

let fleet: Fleet;
let pachd: Pachd;
beforeAll(async () => {
  fleet = await startFleet({ gateways: 2, pachds: 1, finishMs: 0, headTtlMs: 1_000 });
  pachd = connectPachd(fleet.pachds[0]!.address);
});
afterAll(async () => {
  pachd.close();
  await fleet.stop();
});

const put = (gateway: number, bucket: string, key: string) =>
  send(fleet.urls[gateway]!, 'PUT', `/${bucket}/${key}`, { body: key });

async function openCommit(): Promise<{ readonly bucket: string; readonly id: string }> {
  const branch = freshBucketName();
  expect((await send(fleet.urls[0]!, 'PUT', `/${branch}`)).status).toBe(200);
  const id = await pachd.startCommit(repoOf(branch));
  return { bucket: `${id}.${branch}`, id };
}

it('what one worker wrote is in the way of what the other would write', async () => {
  const { bucket, id } = await openCommit();
  expect((await put(0, bucket, 'first')).status).toBe(200);
  expect((await put(1, bucket, 'second')).status).toBe(200);
  expect((await put(0, bucket, 'name')).status).toBe(200);
  // The second worker has looked into the commit before that was there.
  expect((await put(1, bucket, 'name/below')).code).toBe('ObjectNameConflict');
  expect((await put(1, bucket, 'folder/below')).status).toBe(200);
  expect((await put(0, bucket, 'folder')).code).toBe('ObjectNameConflict');
  const repo = repoOf(bucket.slice(bucket.indexOf('.') + 1));
  await pachd.finishCommit(repo, id);
  const finished = await eventually(
    'the commit is finished',
    () => pachd.headOf(repo),
    ({ finished: at }) => at !== undefined,
  );
  expect(finished.error).toBe('');
  for (const key of ['first', 'second', 'name', 'folder/below']) {
    for (const url of fleet.urls) expect((await send(url, 'GET', `/${bucket}/${key}`)).text).toBe(key);
  }
});
