// Starting and ending: what is wrong is said in one line, and nothing is left running.
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { makeFolder } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { type Program, startNode } from '../support/program.ts';
import { startTusk, tuskEnvironment } from '../support/tusk.ts';

const MAIN = 'services/gateway/src/main.ts';
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folderOfOwn(): Promise<string> {
  const folder = await makeFolder();
  cleanups.push(folder.remove);
  return folder.path;
}

async function tuskOfOwn(dataDir: string) {
  const tusk = await startTusk({ dataDir });
  cleanups.push(() => tusk.stop());
  return tusk;
}

/** Starts a gateway that cannot run. @returns the lines that it says, all on stderr, after it has ended with code 1. */
async function failToStart(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const program = startNode(MAIN, { env: { ...tuskEnvironment(await folderOfOwn()), ...env } });
  expect(await program.exited, program.output()).toEqual({ code: 1, signal: null });
  await expectNothingLeft(program);
  expect(program.output()).toBe(program.errors());
  return program.errors().trimEnd().split('\n');
}

function expectNothingLeft(program: Program): Promise<unknown> {
  return eventually(
    'nothing of it runs',
    () => program.alive(),
    (members) => members.length === 0,
  );
}

describe('a gateway that cannot start says why in one line', () => {
  async function takePort(): Promise<string> {
    const server = createServer().listen(0, '127.0.0.1');
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  it.each(['TUSK_LISTEN', 'TUSK_ADMIN_LISTEN'])('the port of %s is in use', async (setting) => {
    const taken = await takePort();
    const lines = await failToStart({ [setting]: taken });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(taken);
  });

  it('every wrong setting at once, a line each', async () => {
    const lines = await failToStart({
      TUSK_LISTEN: 'nonsense',
      TUSK_WORKERS: '0',
      TUSK_LOG_LEVEL: 'loud',
      TUSK_DRAIN_MS: 'soon',
      TUSK_PACHD: 'ftp://somewhere',
      TUSK_NO_SUCH_SETTING: '1',
    });
    expect(lines).toHaveLength(6);
    for (const name of ['LISTEN', 'WORKERS', 'LOG_LEVEL', 'DRAIN_MS', 'PACHD', 'NO_SUCH_SETTING']) {
      expect(lines.filter((line) => line.includes(`TUSK_${name}`))).toHaveLength(1);
    }
  });

  it('a secret that is wrong is not repeated', async () => {
    const lines = await failToStart({ TUSK_CACHE_SECRET: 'too-short' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('too-short');
  });

  it('another gateway uses the data folder', async () => {
    const dataDir = await folderOfOwn();
    const first = await tuskOfOwn(dataDir);
    const lines = await failToStart({ TUSK_DATA: dataDir });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(dataDir);
    expect(await send(first.url, 'GET', '/')).toMatchObject({ status: 200 });
  });
});

describe('a running gateway', () => {
  it('says where it listens and what to try', async () => {
    const tusk = await tuskOfOwn(await folderOfOwn());
    const lines = tusk.program.output().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(6);
    expect(tusk.program.output()).toContain(tusk.url);
    expect(tusk.program.output()).toMatch(/aws .*--endpoint-url .* s3 /);
  });

  it('has the projects, the repo and the branch of the documentation', async () => {
    const tusk = await tuskOfOwn(await folderOfOwn());
    const { text } = await send(tusk.url, 'GET', '/master.foo.bar');
    expect(text.match(/<Key>/g)).toHaveLength(1);
    expect(await send(tusk.url, 'PUT', '/master.new.default')).toMatchObject({ status: 200 });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with every process of it on %s', async (signal) => {
    const tusk = await tuskOfOwn(await folderOfOwn());
    expect(tusk.program.alive().length).toBeGreaterThan(1);
    expect(await tusk.program.stop(signal)).toEqual({ code: 0, signal: null });
    expect(tusk.program.alive()).toEqual([]);
  });

  it('leaves nothing running when it is killed', async () => {
    const tusk = await tuskOfOwn(await folderOfOwn());
    expect(await tusk.program.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    await expectNothingLeft(tusk.program);
  });

  it('keeps its data over restarts, and over its death', async () => {
    const dataDir = await folderOfOwn();
    const first = await tuskOfOwn(dataDir);
    const bucket = await freshBucket(first);
    const put = await send(first.url, 'PUT', `/${bucket}/key`, { body: 'kept' });
    expect((await first.stop()).code).toBe(0);

    const second = await tuskOfOwn(dataDir);
    const got = await send(second.url, 'GET', `/${bucket}/key`);
    expect(got).toMatchObject({ status: 200, text: 'kept' });
    expect(got.headers['etag']).toBe(put.headers['etag']);
    await send(second.url, 'PUT', `/${bucket}/key2`, { body: 'kept too' });
    await second.program.stop('SIGKILL');
    await expectNothingLeft(second.program);

    const third = await tuskOfOwn(dataDir);
    expect(await send(third.url, 'GET', `/${bucket}/key2`)).toMatchObject({ status: 200, text: 'kept too' });
  });

  it('lets a request that is under way end before it does', async () => {
    const tusk = await tuskOfOwn(await folderOfOwn());
    const bucket = await freshBucket(tusk);
    const body = Buffer.alloc(20_000_000, 'x');
    await send(tusk.url, 'PUT', `/${bucket}/large`, { body });
    const response = await fetch(`${tusk.url}/${bucket}/large`);
    const exit = tusk.program.stop('SIGTERM');
    expect((await response.arrayBuffer()).byteLength).toBe(body.length);
    expect((await exit).code).toBe(0);
  });
});
