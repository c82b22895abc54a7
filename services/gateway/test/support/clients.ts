import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, ROOT } from './program.ts';
import type { Key } from './signature.ts';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long one call of a client may take before the test fails. A bound, not an expectation. */
const RUN_MAX_MS = 110_000;

/** Runs a command to its end. @throws when it takes too long or cannot be started. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string | undefined>>; readonly cwd?: string } = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: RUN_MAX_MS,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === null) reject(new Error(`${command} ${args.join(' ')}: ${signal}\n${stdout}${stderr}`));
      else resolve({ code, stdout, stderr });
    });
  });
}

/** A program of a virtual environment that `npm test` makes. */
export function pythonProgram(name: string, venv = 'venv'): string {
  return join(ROOT, '.cache', venv, 'bin', name);
}

/** The environment of an AWS client that knows of no account, no profile and no instance but the given key. */
export function awsEnvironment(folder: string, key?: Key): Record<string, string | undefined> {
  return {
    HOME: folder,
    AWS_CONFIG_FILE: join(folder, 'aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'aws-credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: key?.accessKey,
    AWS_SECRET_ACCESS_KEY: key?.secretKey,
    no_proxy: '*',
  };
}

/** A folder of a test's own, with a function that deletes it. */
export async function makeFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tusk-client-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Bytes that look random and are the same for the same size and seed. */
export function sampleBytes(size: number, seed = 'tusk'): Buffer {
  const bytes = Buffer.alloc(size);
  for (let offset = 0; offset < size; offset += 32) {
    createHash('sha256').update(`${seed}:${offset}`).digest().copy(bytes, offset);
  }
  return bytes;
}

/** Writes a tree of files, given as path -> content, below a folder. */
export async function writeTree(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
  }
}
