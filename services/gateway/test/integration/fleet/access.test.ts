// What a fleet shares is no way around pachd's permissions, and tells nothing to who can read Redis.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBucketName, repoOf } from '../../support/buckets.ts';
import { type SendOptions, send } from '../../support/http.ts';
import { connectPachd, type Pachd } from '../../support/pachd.ts';
import { type Key, keyOf } from '../../support/signature.ts';
import { ROOT_TOKEN } from '../../support/tusk.ts';
import { type Fleet, startFleet } from './fleet.ts';

const ROOT = keyOf(ROOT_TOKEN);
const AUTH_TTL_MS = 2_000;
/** What the answers of two processes may take beside that. */
const SLACK_MS = 500;

let fleet: Fleet;
let pachd: Pachd;
let bucket: string;
beforeAll(async () => {
  const env = { TUSK_AUTH_TTL_MS: String(AUTH_TTL_MS) };
  fleet = await startFleet({ gateways: 2, pachds: 1, finishMs: 300, headTtlMs: 1_000, auth: true, env });
  pachd = connectPachd(fleet.pachds[0]!.address, ROOT_TOKEN);
  bucket = freshBucketName();
  expect((await ask(0, 'PUT', `/${bucket}`, ROOT)).status).toBe(200);
});
afterAll(async () => {
  pachd.close();
  await fleet.stop();
});

const ask = (gateway: number, method: string, path: string, key: Key, options: SendOptions = {}) =>
  send(fleet.urls[gateway]!, method, path, { ...options, key });

it('what one gateway was granted is asked anew at its end, by all', async () => {
  const reader = keyOf(await pachd.robotToken('leaving'));
  await pachd.grant(repoOf(bucket), 'robot:leaving', ['repoReader']);
  await ask(0, 'PUT', `/${bucket}/secret`, ROOT, { body: 'content' });
  expect((await ask(0, 'GET', `/${bucket}/secret`, reader)).text).toBe('content');
  await pachd.grant(repoOf(bucket), 'robot:leaving', []);
  const revokedMs = performance.now();
  // The other one hears from the fleet what was granted, just before that ends; it must not begin anew with that.
  await sleep(AUTH_TTL_MS / 2);
  await ask(1, 'GET', `/${bucket}/secret`, reader);
  await sleep(Math.max(0, revokedMs + AUTH_TTL_MS + SLACK_MS - performance.now()));
  for (const gateway of [0, 1]) {
    expect(await ask(gateway, 'GET', `/${bucket}/secret`, reader)).toMatchObject({ status: 403, code: 'AccessDenied' });
  }
});

it('who has no permission gets nothing of what others have read', async () => {
  const stranger = keyOf(await pachd.robotToken('stranger'));
  await ask(0, 'PUT', `/${bucket}/shared`, ROOT, { body: 'content of the owner' });
  expect((await ask(1, 'GET', `/${bucket}/shared`, ROOT)).status).toBe(200);
  for (const gateway of [0, 1]) {
    const answer = await ask(gateway, 'GET', `/${bucket}/shared`, stranger);
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
  }
});

it('a permission is there for all gateways as soon as it is given', async () => {
  const newcomer = keyOf(await pachd.robotToken('newcomer'));
  await ask(0, 'PUT', `/${bucket}/open`, ROOT, { body: 'content' });
  for (const gateway of [0, 1]) expect((await ask(gateway, 'GET', `/${bucket}/open`, newcomer)).status).toBe(403);
  await pachd.grant(repoOf(bucket), 'robot:newcomer', ['repoReader']);
  for (const gateway of [0, 1]) expect((await ask(gateway, 'GET', `/${bucket}/open`, newcomer)).status).toBe(200);
});

it('a pending object written by one is read from the other', async () => {
  const put = await ask(0, 'PUT', `/${bucket}/folder/fresh`, ROOT, { body: 'just written' });
  expect(put.status).toBe(200);
  const got = await ask(1, 'GET', `/${bucket}/folder/fresh`, ROOT);
  expect(got).toMatchObject({ status: 200, text: 'just written' });
  expect(got.headers['etag']).toBe(put.headers['etag']);
});

it('Redis has no token, no content and no path in clear', async () => {
  const robot = keyOf(await pachd.robotToken('robot'));
  await pachd.grant(repoOf(bucket), 'robot:robot', ['repoWriter']);
  const large = Buffer.alloc(1_500_000, 'content in clear ');
  await ask(0, 'PUT', `/${bucket}/path-in-clear/small`, robot, { body: 'content in clear' });
  await ask(1, 'PUT', `/${bucket}/path-in-clear/large`, robot, { body: large });
  await ask(1, 'GET', `/${bucket}/path-in-clear/small`, robot);
  const begun = await ask(0, 'POST', `/${bucket}/path-in-clear/parts`, robot, { query: [['uploads', null]] });
  const uploadId = /<UploadId>([^<]*)</.exec(begun.text)?.[1] ?? '';
  const part = await ask(1, 'PUT', `/${bucket}/path-in-clear/parts`, robot, {
    query: [
      ['partNumber', '1'],
      ['uploadId', uploadId],
    ],
    body: large,
  });
  expect(part.status).toBe(200);

  const [redis] = fleet.redis.servers;
  const keys = (await redis!.cli('--scan')).split('\n');
  const values = await Promise.all(keys.map((key) => redis!.cli('dump', key)));
  const all = [...keys, ...values].join('\n');
  // What is searched is really there: the branch is named by its keys.
  expect(all).toContain(bucket);
  expect(keys.some((key) => key.includes('uploads.'))).toBe(true);
  for (const secret of [ROOT_TOKEN, robot.accessKey, 'content in clear', 'path-in-clear']) {
    expect(all).not.toContain(secret);
  }
});
