// `npm run loadtest -- SCENARIO [k6 option ...]`: runs loadtest/k6/SCENARIO.ts against a gateway that is running already.
// k6 is taken from the path, or built with Go into .cache/bin.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, filesBelow, ROOT, run } from './ensure.mjs';
import { ensureGo, K6 } from './go.mjs';

const [scenario, ...options] = process.argv.slice(2);
const scenarios = filesBelow('loadtest/k6').flatMap((file) => /k6\/([a-z-]+)\.ts$/.exec(file)?.[1] ?? []);
const script = join(ROOT, 'loadtest', 'k6', `${scenario}.ts`);
if (!existsSync(script))
  fail(`usage: npm run loadtest -- SCENARIO [k6 option ...]; there are: ${scenarios.join(', ')}`);

const child = spawn(await k6(), ['run', ...options, script], { stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));

async function k6() {
  return (await run('k6', ['version'])).code === 0 ? 'k6' : ensureGo(K6);
}
