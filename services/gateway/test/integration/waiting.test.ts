import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { repoOf } from '../support/buckets.ts';
import { send } from '../support/http.ts';
import { waitForRequests } from '../support/status.ts';
import { startBusyBranch } from './waiting.ts';

it('a write that waits for others is not made when its client has gone away', async () => {
  const { tusk, bucket, first } = await startBusyBranch(5_000);
  const commits = await tusk.pachd.commitCount(repoOf(bucket));
  const { hostname, port } = new URL(tusk.url);
  const socket = connect(Number(port), hostname, () =>
    socket.write(`PUT /${bucket}/second HTTP/1.1\r\nHost: s3\r\nContent-Length: 1\r\n\r\nx`),
  );
  await waitForRequests(tusk, 2);
  socket.resetAndDestroy();
  await waitForRequests(tusk, 1);
  expect(await first).toBe(200);
  expect((await send(tusk.url, 'GET', `/${bucket}/second`)).code).toBe('NoSuchKey');
  expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(commits + 1);
});
