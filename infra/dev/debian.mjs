// Programs that come with the system and not with npm: installed where that may be done, else named.
import { fail, run, say } from './ensure.mjs';

/** Makes sure that a program can be run. Ends the process, saying what to install, when it cannot be had. */
export async function ensureProgram(program, packages) {
  if ((await run('sh', ['-c', `command -v ${program}`])).code === 0) return;
  const output = await installDebian(packages);
  if ((await run('sh', ['-c', `command -v ${program}`])).code !== 0) fail(`${adviceFor(program, packages)}\n${output}`);
}

/** Installs Debian packages where this is root on Debian. @returns what apt said; empty where nothing could be tried. */
export async function installDebian(packages) {
  const may = process.getuid?.() === 0 && (await run('apt-get', ['--version'])).code === 0;
  if (!may) return '';
  say(`Installing ${packages.join(' and ')} ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const updated = await run('apt-get', ['update', '-qq'], { env });
  const installed = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
  return `${updated.output}\n${installed.output}`;
}

export function adviceFor(what, packages) {
  return `${what} is needed; on Debian and Ubuntu: apt-get install ${packages.join(' ')}`;
}
