import { fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readOptions } from '../src/options.ts';
import { connect, head, spawnDevpachd, tempFolder } from './harness.ts';

const MAIN = join(fileURLToPath(new URL('../../../', import.meta.url)), 'dist/services/devpachd/src/main.js');

describe('the process', () => {
  const folder = tempFolder();
  afterAll(folder.remove);

  const run = (args: readonly string[]) =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      child.once('exit', (code) => resolve({ code, stderr }));
    });

  it('seeds a folder once, and ends cleanly at SIGTERM', async () => {
    const of = { ...head('foo'), repo: { name: 'foo', type: 'user', project: { name: 'bar' } } };
    const seeded = { repo: of.repo, branch: { repo: of.repo, name: 'master' }, id: '' };
    const first = await spawnDevpachd(folder.path, ['--seed']);
    const client = connect(first.address);
    expect((await client.get(seeded, '/hello.txt')).toString()).toBe('hello\n');
    const { commit } = await client.finished(seeded);
    client.close();
    await first.end('SIGTERM');
    expect(first.process.exitCode).toBe(0);
    const second = await spawnDevpachd(folder.path, ['--seed']);
    const again = connect(second.address);
    expect((await again.finished(seeded)).commit).toEqual(commit);
    again.close();
    await second.end('SIGTERM');
  }, 30_000);

  it('says in one line that its port is taken', async () => {
    const first = await spawnDevpachd(folder.path);
    const { code, stderr } = await run(['--listen', first.address, '--data', folder.path]);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`cannot listen on ${first.address}`);
    await first.end();
  }, 30_000);

  it('says in one line what is wrong with its flags', async () => {
    for (const args of [['--nope'], ['--listen', 'here'], ['--listen', '127.0.0.1:99999'], ['--latency', 'slow']]) {
      const { code, stderr } = await run(args);
      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  }, 30_000);

  it('tells its parent where it listens, and ends with it', async () => {
    const child = fork(MAIN, ['--listen', '127.0.0.1:0', '--data', folder.path], { stdio: 'ignore' });
    const ready = await new Promise((resolve) => child.once('message', resolve));
    expect(ready).toEqual({ ready: true, address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    expect(await gone).toBe(0);
  }, 30_000);

  it('takes its options from the environment where no flag is given', () => {
    const env = { DEVPACHD_LISTEN: '127.0.0.1:1', DEVPACHD_DATA: '/d', DEVPACHD_AUTH: '1' };
    expect(readOptions([], env)).toMatchObject({ listen: '127.0.0.1:1', folder: '/d', auth: true, seed: false });
    expect(readOptions(['--listen', '[::1]:2'], env).listen).toBe('[::1]:2');
    expect(() => readOptions([], { DEVPACHD_AUTH: 'maybe' })).toThrow('DEVPACHD_AUTH must be 1 or 0');
  });
});
