import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials, Metadata } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { APIClient, type GetRobotTokenResponse } from '../../../proto/gen/auth/auth.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { call, tempFolder } from './harness.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CONTRACT = join(ROOT, 'services/devpachd/test/contract');
const run = promisify(execFile);

async function replay(address: string, file: string, args: readonly string[] = []): Promise<string> {
  const all = [join(CONTRACT, 'replay.mjs'), '--addr', address, '--proto', 'proto', '--file', join(CONTRACT, file)];
  const { stdout } = await run(process.execPath, [...all, ...args], { cwd: ROOT }).catch(
    (error: { stdout: string }) => error,
  );
  return stdout.trim();
}

async function robotTokens(address: string): Promise<Record<string, string>> {
  const auth = new APIClient(address, credentials.createInsecure());
  const asRoot = new Metadata();
  asRoot.set('authn-token', 'iamroot');
  const tokens: Record<string, string> = { root: 'iamroot' };
  for (const robot of ['alice', 'bob', 'carol']) {
    const made = await call<GetRobotTokenResponse>((done) => auth.getRobotToken({ robot, ttl: 0 }, asRoot, done));
    tokens[robot] = made.token;
  }
  auth.close();
  return tokens;
}

describe('the recorded scenarios of a real pachd', () => {
  const folder = tempFolder();
  let server: RunningServer | undefined;

  afterEach(async () => {
    await server?.close();
    folder.remove();
  });

  it('pass without auth', async () => {
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: false, seed: false });
    expect(await replay(server.address, 'pachd-noauth.json')).toBe('66 passed, 0 failed');
  }, 60_000);

  it('pass with auth', async () => {
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: true, seed: true });
    const tokens = join(folder.path, 'tokens.json');
    writeFileSync(tokens, JSON.stringify(await robotTokens(server.address)));
    expect(await replay(server.address, 'pachd-auth.json', ['--token', tokens])).toBe('22 passed, 0 failed');
  }, 60_000);
});
