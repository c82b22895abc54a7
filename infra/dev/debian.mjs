// Programs that come with the system and not with npm: installed where that may be done, else named.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { fail, run, say } from './ensure.mjs';

// Asked by a package before it starts its service (invoke-rc.d(8)); 101 forbids it.
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

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
  const installed = await withoutServices(() =>
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env }),
  );
  return `${updated.output}\n${installed.output}`;
}

// A server that is installed for a test is started by the test: as a service of the system it would outlive it, and hold its port.
async function withoutServices(install) {
  const own = !existsSync(SERVICE_POLICY);
  if (own) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await install();
  } finally {
    if (own) rmSync(SERVICE_POLICY);
  }
}

export function adviceFor(what, packages) {
  return `${what} is needed; on Debian and Ubuntu: apt-get install ${packages.join(' ')}`;
}
