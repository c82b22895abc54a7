// `npm run loadtest -- SCENARIO [k6 option ...]`: runs loadtest/k6/SCENARIO.ts against a gateway that is running already.
// k6 is taken from the path, or built with Go into .cache/bin.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, filesBelow, ROOT, run, say } from './ensure.mjs';

const K6 = 'go.k6.io/k6@v1.8.1';
const BIN = join(ROOT, '.cache', 'bin');

const [scenario, ...options] = process.argv.slice(2);
const scenarios = filesBelow('loadtest/k6').flatMap((file) => /k6\/([a-z-]+)\.ts$/.exec(file)?.[1] ?? []);
const script = join(ROOT, 'loadtest', 'k6', `${scenario}.ts`);
if (!existsSync(script))
  fail(`usage: npm run loadtest -- SCENARIO [k6 option ...]; there are: ${scenarios.join(', ')}`);

const child = spawn(await k6(), ['run', ...options, script], { stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));

async function k6() {
  if ((await run('k6', ['version'])).code === 0) return 'k6';
  const built = join(BIN, 'k6');
  if (existsSync(built)) return built;
  say(`Building ${K6} with Go into .cache/bin (once) ...`);
  mkdirSync(BIN, { recursive: true });
  const result = await run('go', ['install', K6], { env: { ...process.env, GOBIN: BIN } });
  if (result.code !== 0) fail(`k6 is needed: install it, or Go to build it with.\n${result.output}`);
  return built;
}
