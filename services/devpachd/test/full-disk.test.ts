import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Commit } from '../../../proto/gen/pfs/pfs.ts';
import { add, branch, type Client, call, connect, type Devpachd, head, spawnDevpachd, tempFolder } from './harness.ts';

const UNKNOWN = 2;
const ROOM_BYTES = 300_000;
const PAIRS = 20;

/** A file of the process may not grow beyond this, as on a volume that is full (Linux, `prlimit`). */
function limitFiles(server: Devpachd, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(server.process.pid), `--fsize=${bytes}:unlimited`]);
}

function largestFileBytes(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Math.max(...names.map((name) => statSync(join(folder, name)).size));
}

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done' as const,
    (error: { code: number; details: string }) => error,
  );
const isFull = { code: UNKNOWN, details: expect.stringMatching(/no space left on device|check free disk space/) };

describe('a disk that takes no more', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  let first: Commit;
  const written = new Map<string, number>();
  /** Two files by one call, with long names, so that the database grows. */
  const write = async (key: string) => {
    const paths = Array.from({ length: PAIRS }, (_, i) => `/${key}/${'long'.repeat(300)}-${i}`);
    await client.modify(
      head('r'),
      paths.map((path) => add(path, key)),
    );
    written.set(key, paths.length);
  };
  const check = async () => {
    const dirs = await client.list(head('r'));
    expect(new Set(dirs.map(({ file }) => file?.path))).toEqual(new Set([...written.keys()].map((key) => `/${key}/`)));
    for (const [key, files] of written) expect(await client.list(head('r'), `/${key}`)).toHaveLength(files);
  };

  beforeAll(async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
    await client.createRepo('r');
    await write('first');
    first = (await client.finished(head('r'))).commit ?? head('r');
  });
  afterAll(async () => {
    client.close();
    await server.end();
    folder.remove();
  });

  it('is told in clear words, keeps no half of a call, and goes on when there is room', async () => {
    for (let round = 0; round < 3; round++) {
      limitFiles(server, largestFileBytes(folder.path) + ROOM_BYTES);
      let refusal: unknown = 'done';
      for (let turn = 0; refusal === 'done'; turn++) refusal = await outcome(write(`${round}-${turn}`));
      expect(refusal).toMatchObject(isFull);
      const pieces = Array.from({ length: 16 }, () => add('/large', randomBytes(1024 * 1024)));
      expect(await outcome(client.createFileSet(pieces))).toMatchObject(isFull);
      expect(server.process.exitCode).toBe(null);
      expect(await client.list(first)).toHaveLength(1);
      limitFiles(server, 'unlimited');
      expect(await outcome(write(`room-${round}`))).toBe('done');
      await client.finished(head('r'));
      await check();
    }
  });

  it('refuses changes of the database, too, and none of them is done', async () => {
    limitFiles(server, 0);
    const refusals = [
      await outcome(client.createRepo('none')),
      await outcome(
        call((done) => client.api.startCommit({ branch: branch('r'), parent: undefined, description: '' }, done)),
      ),
      await outcome(client.modify(head('r'), [add('/none', '')])),
    ];
    limitFiles(server, 'unlimited');
    for (const refusal of refusals) expect(refusal).toMatchObject(isFull);
    expect(await outcome(client.createRepo('none'))).toBe('done');
    await write('last');
    await client.finished(head('r'));
    await check();
  });
});
