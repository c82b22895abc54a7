// pachd dies under the gateway: what was acknowledged is kept, the rest is refused, and all goes on when pachd is back.
import { afterEach, expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { makeFolder } from '../support/clients.ts';
import { type Devpachd, startDevpachd } from '../support/devpachd.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const isUp = ({ status }: { readonly status: number }): boolean => status === 200;

it('every acknowledged write is there after a kill -9 of pachd under load', async () => {
  const folder = await makeFolder();
  cleanups.push(folder.remove);
  const start = async (listen?: string): Promise<Devpachd> => {
    const devpachd = await startDevpachd({ dataDir: folder.path, ...(listen === undefined ? {} : { listen }) });
    cleanups.push(() => devpachd.stop());
    return devpachd;
  };
  const first = await start();
  const tusk = await startTusk({ pachd: first.address });
  cleanups.push(() => tusk.stop());
  const bucket = await freshBucket(tusk);

  const acknowledged = new Map<string, string>();
  let refused = 0;
  let writing = true;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let count = 0; writing; count++) {
      const key = `${writer}/${count}`;
      const { status, code } = await send(tusk.url, 'PUT', `/${bucket}/${key}`, { body: key });
      if (status === 200) acknowledged.set(key, key);
      else {
        refused += 1;
        expect({ status, code }).toEqual({
          status: 503,
          code: expect.stringMatching(/^(SlowDown|ServiceUnavailable)$/),
        });
      }
    }
  });
  await eventually(
    'some writes are acknowledged',
    () => acknowledged.size,
    (size) => size >= 20,
  );
  await first.program.stop('SIGKILL');
  await eventually(
    'writes are refused',
    () => refused,
    (count) => count > 0,
  );
  expect(await send(tusk.url, 'GET', '/')).toMatchObject({ status: 503 });
  expect(tusk.program.alive().length).toBeGreaterThan(1);

  await start(first.address);
  const before = acknowledged.size;
  await eventually(
    'writes are acknowledged again',
    () => acknowledged.size,
    (size) => size >= before + 5,
  );
  writing = false;
  await Promise.all(writers);

  for (const [key, content] of acknowledged) {
    expect(await send(tusk.url, 'GET', `/${bucket}/${key}`), key).toMatchObject({ status: 200, text: content });
  }
});

it("the gateway's own pachd is started again when it is killed", async () => {
  const tusk = await startTusk();
  cleanups.push(() => tusk.stop());
  const bucket = await freshBucket(tusk);
  await send(tusk.url, 'PUT', `/${bucket}/key`, { body: 'kept' });
  killOwnPachd(tusk);
  const got = await eventually('reads go on', () => send(tusk.url, 'GET', `/${bucket}/key`), isUp);
  expect(got.text).toBe('kept');
  await eventually('writes go on', () => send(tusk.url, 'PUT', `/${bucket}/key2`, { body: 'new' }), isUp);
  expect(await send(tusk.url, 'GET', `/${bucket}/key2`)).toMatchObject({ status: 200, text: 'new' });
});

function killOwnPachd(tusk: Tusk): void {
  const members = tusk.program.alive().filter(({ command }) => command.includes('devpachd'));
  expect(members).not.toEqual([]);
  for (const { pid } of members) process.kill(pid, 'SIGKILL');
}
