import { expect, it } from 'vitest';
import { send } from '../support/http.ts';
import { startBusyBranch } from './waiting.ts';

it('a write that waits for others for too long is told to come again, and is not made', async () => {
  const { tusk, bucket, first } = await startBusyBranch(60_000);
  const second = await send(tusk.url, 'PUT', `/${bucket}/second`, { body: 'x' });
  expect(second).toMatchObject({ status: 503, code: 'SlowDown' });
  expect(Number(second.headers['retry-after'])).toBeGreaterThan(0);
  expect(await first).toBe(200);
  expect((await send(tusk.url, 'GET', `/${bucket}/second`)).code).toBe('NoSuchKey');
}, 150_000);
