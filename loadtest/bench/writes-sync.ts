// `aws s3 sync` of many small files, up, with the client's default settings.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoOf } from '../../services/gateway/test/support/buckets.ts';
import { awsEnvironment, makeFolder, pythonProgram, sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { cleanEnvironment } from '../../services/gateway/test/support/program.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { fill, type Gateway } from './writes-gateways.ts';

const FILE_BYTES = 4096;
const FOLDER_FILES = 100;
const SYNC_MAX_MS = 3_600_000;

export interface Synced {
  /** Of the command, a file. */
  readonly fileMs: number;
  /** Until the last commit was finished after it. */
  readonly finishMs: number;
}

/**
 * @param into whether to a branch, or into one open commit, which is then finished
 * @param before how many files the branch has already
 */
export async function syncUp(
  { tusk, bucket, idle }: Gateway,
  files: number,
  into: 'branch' | 'open commit',
  before: number,
): Promise<Synced> {
  const folder = await makeFolder();
  try {
    const tree = join(folder.path, 'tree');
    for (let i = 0; i < files; i++) {
      const name = join(tree, `folder${Math.floor(i / FOLDER_FILES)}`, `file${i % FOLDER_FILES}`);
      if (i % FOLDER_FILES === 0) await mkdir(join(name, '..'), { recursive: true });
      await writeFile(name, sampleBytes(FILE_BYTES, `${i}`));
    }
    const branch = await bucket();
    if (before > 0) await fill(tusk, branch, before);
    const commit = into === 'branch' ? undefined : await tusk.pachd.startCommit(repoOf(branch));
    const target = commit === undefined ? branch : `${commit}.${branch}`;
    await idle();
    const begunMs = performance.now();
    const args = ['--endpoint-url', tusk.url, 's3', 'sync', '--only-show-errors', tree, `s3://${target}`];
    const env = { ...cleanEnvironment(), ...awsEnvironment(folder.path, keyOf('any-key')) } as NodeJS.ProcessEnv;
    await promisify(execFile)(pythonProgram('aws'), args, { env, timeout: SYNC_MAX_MS });
    const tookMs = performance.now() - begunMs;
    if (commit !== undefined) await tusk.pachd.finishCommit(repoOf(branch), commit);
    await idle();
    return { fileMs: tookMs / files, finishMs: performance.now() - begunMs - tookMs };
  } finally {
    await folder.remove();
  }
}
