import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';
import { freePort } from '../../services/gateway/test/support/redis.ts';
import type { Key } from '../../services/gateway/test/support/signature.ts';

/** Another S3 server with a bucket, its files in a folder of its own. */
export interface OtherServer {
  readonly url: string;
  readonly pid: number;
  readonly key: Key;
  readonly bucket: string;
  stop(): Promise<void>;
}

/** By the names of the programs in .cache/bin, which `npm run bench` builds. @param address HOST:PORT */
const COMMANDS = {
  versitygw: (address: string, folder: string) => ['--port', address, '--quiet', 'posix', folder],
  minio: (address: string, folder: string) => ['server', '--quiet', '--address', address, folder],
} as const;

export const OTHER_SERVERS = Object.keys(COMMANDS) as readonly (keyof typeof COMMANDS)[];

const KEY: Key = { accessKey: 'the-access-key', secretKey: 'the-secret-key' };
const BUCKET = 'bench';

/** Starts one, and makes its bucket. */
export async function startOther(name: keyof typeof COMMANDS): Promise<OtherServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tusk-bench-'));
  const address = `127.0.0.1:${await freePort()}`;
  const { accessKey, secretKey } = KEY;
  const child = spawn(join(ROOT, '.cache', 'bin', name), COMMANDS[name](address, folder), {
    env: {
      ...process.env,
      ROOT_ACCESS_KEY: accessKey,
      ROOT_SECRET_KEY: secretKey,
      MINIO_ROOT_USER: accessKey,
      MINIO_ROOT_PASSWORD: secretKey,
      MINIO_BROWSER: 'off',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const stop = async () => {
    await ended(child);
    process.off('exit', kill);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://${address}`;
  const made = () => send(url, 'PUT', `/${BUCKET}`, { key: KEY }).then(({ status }) => status, String);
  try {
    await eventually(`${name} makes a bucket`, made, (status) => status === 200);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: child.pid!, key: KEY, bucket: BUCKET, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
