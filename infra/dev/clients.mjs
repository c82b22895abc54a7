// The Python clients of the conformance tests, in a virtual environment of the project's own.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adviceFor, installDebian } from './debian.mjs';
import { fail, ROOT, run, say } from './ensure.mjs';

const VENV = join(ROOT, '.cache', 'venv');
const STAMP = join(VENV, '.installed');
const REQUIREMENTS = join(ROOT, 'infra', 'dev', 'requirements.txt');
const DEBIAN_PACKAGES = ['python3', 'python3-venv'];

/** Makes .cache/venv hold what requirements.txt names, unless it does. Ends the process when that cannot be had. */
export async function ensureClients() {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted && (await works('bin/python'))) return;
  say('Installing the Python clients that the tests drive into .cache/venv (once) ...');
  await makeVenv();
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
  const installed = await run(join(VENV, 'bin', 'python'), args);
  if (installed.code !== 0) fail(`pip could not install infra/dev/requirements.txt:\n${installed.output}`);
  writeFileSync(STAMP, wanted);
}

async function makeVenv() {
  if (await tryVenv()) return;
  const output = await installDebian(DEBIAN_PACKAGES);
  if (!(await tryVenv())) fail(`${adviceFor('Python 3 with venv', DEBIAN_PACKAGES)}\n${output}`);
}

async function tryVenv() {
  rmSync(VENV, { recursive: true, force: true });
  const made = await run('python3', ['-m', 'venv', VENV]);
  return made.code === 0 && (await works('bin/pip'));
}

// A virtual environment points to the Python that made it, and is of no use when that one is gone.
async function works(program) {
  return (await run(join(VENV, program), ['--version'])).code === 0;
}
