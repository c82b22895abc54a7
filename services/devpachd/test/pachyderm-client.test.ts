import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../src/server.ts';
import { tempFolder } from './harness.ts';

const PYTHON = fileURLToPath(new URL('../../../.cache/venv/bin/python', import.meta.url));
const SCRIPT = fileURLToPath(new URL('pachyderm_client.py', import.meta.url));
/** A call that waits for ever must not be waited for as long. */
const SCRIPT_MAX_MS = 60_000;
const NAMES = [...readFileSync(SCRIPT, 'utf8').matchAll(/^@behaviour\("(.*)"\)$/gm)].map(([, name]) => name as string);

describe('pachyderm_sdk', () => {
  const folder = tempFolder();
  let server: RunningServer | undefined;
  let outcomes: Readonly<Record<string, string | null>> = {};

  beforeAll(async () => {
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: true, seed: false });
    const env = { PACHD: server.address, PACHD_TOKEN: 'iamroot', PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT], { env, cwd: folder.path, timeout: SCRIPT_MAX_MS });
    outcomes = JSON.parse(stdout) as typeof outcomes;
  });
  afterAll(async () => {
    await server?.close();
    folder.remove();
  });

  it.each(NAMES)('%s', (name) => {
    expect(outcomes).toHaveProperty([name]);
    expect(outcomes[name]).toBeNull();
  });
});
