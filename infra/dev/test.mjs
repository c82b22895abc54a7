// `npm test [-- path ...]`: installs and builds what is missing, runs the tests, and ends with one line: `N passed, N failed`.
// `--nightly` adds the long ones (*.nightly.test.ts).
import { join } from 'node:path';
import { ensureClients, ensureDataClients } from './clients.mjs';
import { ensureProgram } from './debian.mjs';
import { ensureBuilt, ensureInstalled, ROOT, requireNode } from './ensure.mjs';
import { COMPOSE, ensureGo, ensureGoClients, ensureK6, HELM, MC } from './go.mjs';

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith('--'));
if (args.includes('--nightly')) process.env.NIGHTLY = '1';

requireNode();
await ensureInstalled();
await ensureBuilt();
// The tests look at which processes are left.
await ensureProgram('ps', ['procps']);
// The fleet's, which the tests start themselves.
await ensureProgram('haproxy', ['haproxy']);
await ensureProgram('redis-server', ['redis-server']);
// What judges metrics and alerts, and what looks at the status page.
await ensureProgram('promtool', ['prometheus']);
await ensureProgram('chromium', ['chromium']);
await ensureClients();
await ensureProgram('rclone', ['rclone']);
if (process.env.NIGHTLY === '1') {
  await ensureDataClients();
  await ensureProgram('/usr/bin/aws', ['awscli']);
  await ensureGo(MC);
  await ensureGoClients();
}
// What checks the chart and the compose file.
await ensureGo(HELM);
await ensureGo(COMPOSE);
await ensureK6();
process.chdir(ROOT);

const { startVitest } = await import('vitest/node');
const vitest = await startVitest('test', filters, {
  root: ROOT,
  config: join(ROOT, 'infra', 'dev', 'vitest.config.ts'),
  watch: false,
});
const outcome = count(vitest.state.getTestModules(), vitest.state.getUnhandledErrors());
await vitest.close();
console.log(`\n${outcome.passed} passed, ${outcome.failed} failed`);
process.exit(outcome.failed === 0 && outcome.passed > 0 ? 0 : 1);

// A test that was skipped is one that nobody knows the outcome of, so it counts as failed; so does a file that could not
// be read, and an error that belongs to no test.
function count(modules, unhandledErrors) {
  let passed = 0;
  let failed = unhandledErrors.length;
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      if (test.result().state === 'passed') {
        passed += 1;
        continue;
      }
      failed += 1;
      if (test.result().state === 'skipped')
        console.log(`skipped, so failed: ${test.module.moduleId} > ${test.fullName}`);
    }
  }
  return { passed, failed };
}
