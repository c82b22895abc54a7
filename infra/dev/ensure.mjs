// What every command of this project needs first: a Node that fits, the packages of package-lock.json, and a build of these
// very sources. Plain JavaScript without dependencies, since it runs before any of that is there.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const ENDING = ['SIGTERM', 'SIGINT'];
const BUILT_STAMP = join(ROOT, 'dist', '.built');
// What tsconfig.json includes, and what else decides the outcome of a build.
const SOURCE_FOLDERS = ['proto/gen', 'services', 'loadtest', 'infra/cluster', 'infra/test'];
const BUILD_INPUTS = ['tsconfig.json', 'package-lock.json', 'package.json'];

/** Ends the process with one line when this Node is older than package.json's `engines` says. */
export function requireNode() {
  const { engines } = readJson('package.json');
  const wanted = engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  fail(`tusk needs Node ${wanted} or newer; this is ${process.versions.node}.`);
}

/** Installs the packages of package-lock.json unless exactly those are there. */
export async function ensureInstalled() {
  if (installedFits()) return;
  say('Installing the packages of package-lock.json (once) ...');
  const result = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    // npm hands its own settings down as npm_config_*; those of the outer command are not meant for this one.
    env: withoutNpm(process.env),
  });
  if (result.code !== 0) fail(`npm ci failed:\n${result.output}`);
}

/** Builds dist/ unless it was built from these very sources; ends the process with what the compiler says when it fails. */
export async function ensureBuilt() {
  const { code, output } = await build(() => say('Building ...'));
  if (code !== 0) fail(`The build failed:\n${output}`);
}

/**
 * Builds dist/ unless it was built from these very sources.
 * @param onStart called when there is something to build.
 * @returns the compiler's exit code and what it printed.
 */
export async function build(onStart = () => undefined) {
  const sources = sourceFiles();
  const fingerprint = fingerprintOf([...sources, ...BUILD_INPUTS]);
  if (existsSync(BUILT_STAMP) && readFileSync(BUILT_STAMP, 'utf8') === fingerprint) return { code: 0, output: '' };
  onStart();
  rmSync(BUILT_STAMP, { force: true });
  deleteStaleOutputs(new Set(sources));
  const result = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.', '--pretty', 'false']);
  if (result.code !== 0) return result;
  mkdirSync(dirname(BUILT_STAMP), { recursive: true });
  writeFileSync(BUILT_STAMP, fingerprint);
  return result;
}

/**
 * Runs a command to its end, in the project's root.
 * @returns its exit code (1 when a signal ended it) and all that it printed.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    // Whoever ends this process means what it runs, too. Ctrl-C reaches both by itself, SIGTERM does not.
    const end = (signal) => {
      child.kill(signal);
      process.exit(1);
    };
    for (const signal of ENDING) process.on(signal, end);
    child.on('exit', () => {
      for (const signal of ENDING) process.off(signal, end);
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const output = () => Buffer.concat(chunks).toString().trimEnd();
    child.on('error', (error) => {
      for (const signal of ENDING) process.off(signal, end);
      resolve({ code: 1, output: `${command}: ${error.message}` });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output: output() }));
  });
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Ends the process with a line on stderr and exit code 1. */
export function fail(line) {
  say(line);
  process.exit(1);
}

/** Every file below a folder of the project, as paths relative to its root, in a fixed order. */
export function filesBelow(folder) {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('node_modules/'))
    .sort();
}

function sourceFiles() {
  return SOURCE_FOLDERS.flatMap(filesBelow).filter((file) => extname(file) === '.ts');
}

// npm writes what it installed into a lock file of its own, last of all. Comparing it with ours tells also a folder that
// an interrupted or an older install left, which a stamp of ours would not. Packages for other systems are optional.
function installedFits() {
  const hidden = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(readJson('package-lock.json').packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

// By content and not by time: a checkout or a copied folder changes times, and what counts is what would be compiled.
function fingerprintOf(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
}

// A source that was deleted or moved must not live on in dist, where it could still be imported.
function deleteStaleOutputs(sources) {
  const stale = filesBelow('dist').filter((file) => {
    const source = /^dist\/(.*)\.js(\.map)?$/.exec(file)?.[1];
    return source !== undefined && !sources.has(`${source}.ts`);
  });
  for (const file of stale) rmSync(join(ROOT, file));
  // What is left of the build may be of any age: with outputs gone, the compiler's memory of them is wrong.
  const missing = [...sources].some((source) => !existsSync(join(ROOT, 'dist', source.replace(/\.ts$/, '.js'))));
  if (stale.length > 0 || missing) rmSync(join(ROOT, 'dist', '.tsbuildinfo'), { force: true });
}

function withoutNpm(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name)));
}

function readJson(file) {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
}
