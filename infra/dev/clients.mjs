// The Python clients of the conformance tests, in virtual environments of the project's own.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adviceFor, installDebian } from './debian.mjs';
import { fail, ROOT, run, say } from './ensure.mjs';

const CACHE = join(ROOT, '.cache');
const DEBIAN_PACKAGES = ['python3', 'python3-venv'];

/** Those of every run. */
export const ensureClients = () => ensureVenv('venv', 'requirements.txt');

/** Those of data frames: they are large, and stand on another botocore. */
export const ensureDataClients = () => ensureVenv('venv-data', 'requirements-data.txt');

/** Makes a folder of .cache hold what a list of requirements names, unless it does. Ends the process when that cannot be had. */
async function ensureVenv(name, list) {
  const venv = join(CACHE, name);
  const stamp = join(venv, '.installed');
  const requirements = join(ROOT, 'infra', 'dev', list);
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && (await works(venv, 'python'))) return;
  say(`Installing the Python clients that the tests drive into .cache/${name} (once) ...`);
  await makeVenv(venv);
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  const installed = await run(join(venv, 'bin', 'python'), args);
  if (installed.code !== 0) fail(`pip could not install infra/dev/${list}:\n${installed.output}`);
  writeFileSync(stamp, wanted);
}

async function makeVenv(venv) {
  if (await tryVenv(venv)) return;
  const output = await installDebian(DEBIAN_PACKAGES);
  if (!(await tryVenv(venv))) fail(`${adviceFor('Python 3 with venv', DEBIAN_PACKAGES)}\n${output}`);
}

async function tryVenv(venv) {
  rmSync(venv, { recursive: true, force: true });
  const made = await run('python3', ['-m', 'venv', venv]);
  return made.code === 0 && (await works(venv, 'pip'));
}

// A virtual environment points to the Python that made it, and is of no use when that one is gone.
async function works(venv, program) {
  return (await run(join(venv, 'bin', program), ['--version'])).code === 0;
}
