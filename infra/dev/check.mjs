// `npm run check`: everything that can be said of the sources without running them. One line a check; details only of what fails.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, ensureInstalled, filesBelow, ROOT, requireNode, run } from './ensure.mjs';

// Two at a time: most checks use one core, and two is what the smallest machine here has.
const AT_ONCE = 2;
const FILE_MAX_LINES = 400;
// Generated, or taken over as they are: the replayer comes with pachd's recorded contract.
const NOT_OURS = /^(proto\/gen|services\/devpachd\/test\/contract)\//;
const CRUISED = ['services', 'loadtest', 'infra/cluster', 'infra/test'];
const SOURCE = /\.(ts|mjs|cjs|py)$/;
const TOP_LEVEL =
  /^(services|proto|infra|loadtest|docs|\.ci)\/|^(package(-lock)?\.json|tsconfig\.json|docker-compose\.yml|README\.md|\.gitignore|\.npmrc)$/;

const CHECKS = [
  ['types of the k6 scripts', () => command('tsc', ['-p', 'loadtest/k6', '--pretty', 'false'])],
  [
    'lint and format',
    () =>
      command('biome', [
        'check',
        '--config-path=infra/dev/lint.json',
        '--diagnostic-level=error',
        '--max-diagnostics=100',
        '.',
      ]),
  ],
  [
    'dead code',
    () => command('knip', ['--config', 'infra/dev/knip.json', '--no-progress', '--treat-config-hints-as-errors']),
  ],
  ['doors', doors],
  ['proto', () => command('buf', ['lint', 'proto'])],
  ['generated stubs', stubs],
  ['documents', () => run(process.execPath, ['infra/dev/docs.mjs', '--check'])],
  [`files of at most ${FILE_MAX_LINES} lines`, fileLengths],
  ['top level', topLevel],
];

requireNode();
await ensureInstalled();
let failed = 0;
// First and alone, since others look at what it builds.
await report('types', build);
const waiting = [...CHECKS];
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(
  failed === 0 ? `All ${CHECKS.length + 1} checks passed.` : `${failed} of ${CHECKS.length + 1} checks failed.`,
);
process.exitCode = failed === 0 ? 0 : 1;

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await report(...next);
}

async function report(name, check) {
  const startedMs = Date.now();
  const { code, output } = await check();
  const took = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
  console.log(code === 0 ? `ok      ${name} (${took})` : `FAILED  ${name} (${took})\n${indent(output)}`);
  if (code !== 0) failed += 1;
}

function command(name, args) {
  return run(join(ROOT, 'node_modules', '.bin', name), args);
}

// Without the count, a dependency-cruiser that does not understand the sources would find no fault in them either.
async function doors() {
  const result = await command('depcruise', ['--config', 'infra/dev/doors.cjs', ...CRUISED]);
  const [, modules, dependencies] = /(\d+) modules, (\d+) dependencies cruised/.exec(result.output) ?? [];
  const sources = CRUISED.flatMap(filesBelow).filter((file) => file.endsWith('.ts')).length;
  if (result.code === 0 && (Number(modules) < sources || Number(dependencies) < sources)) {
    return { code: 1, output: `dependency-cruiser saw only ${modules} modules of ${sources} files:\n${result.output}` };
  }
  return result;
}

async function stubs() {
  const folder = mkdtempSync(join(tmpdir(), 'tusk-stubs-'));
  try {
    const generated = await run(join(ROOT, 'node_modules', '.bin', 'buf'), ['generate', '--output', folder], {
      cwd: join(ROOT, 'proto'),
      env: { ...process.env, PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}` },
    });
    if (generated.code !== 0) return generated;
    const compared = await run('diff', ['-r', '-q', join(folder, 'gen'), 'proto/gen']);
    return { code: compared.code, output: `${compared.output}\nRun: npm run proto` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fileLengths() {
  const long = (await trackedFiles())
    .filter((file) => SOURCE.test(file) && !NOT_OURS.test(file))
    .map((file) => [file, readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length])
    .filter(([, lines]) => lines > FILE_MAX_LINES);
  return { code: long.length, output: long.map(([file, lines]) => `${file}: ${lines} lines`).join('\n') };
}

async function topLevel() {
  const strays = (await trackedFiles()).filter((file) => !TOP_LEVEL.test(file));
  return {
    code: strays.length,
    output: strays.map((file) => `${file}: there is no place for it at the top level`).join('\n'),
  };
}

// What git has and what it would be asked to take; outside a clone (an image, an archive) simply what is there.
async function trackedFiles() {
  const listed = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate']);
  if (listed.code !== 0) return ['services', 'loadtest', 'infra', 'proto'].flatMap(filesBelow);
  const deleted = new Set((await run('git', ['ls-files', '--deleted'])).output.split('\n'));
  return listed.output.split('\n').filter((file) => file !== '' && !deleted.has(file));
}

function indent(text) {
  return text.replace(/^/gm, '        ');
}
