import { join } from 'node:path';
import { comparisonPage, comparisonText } from './compare.ts';
import { isScenarioRunning } from './k6.ts';
import { type Order, readOrder } from './options.ts';
import { writePage } from './page.ts';
import { createProgress } from './progress.ts';
import { readReport, reportOf } from './report.ts';
import { hasPassed } from './result.ts';
import { runLoad } from './run.ts';
import { summaryOf } from './terminal.ts';

/** `npm run loadtest`: see docs/loadtest.md. */

/** What k6 ends with when thresholds are crossed. */
const THRESHOLDS_CROSSED = 99;
const REPORTS = join('.tusk', 'loadtest');

const progress = createProgress(process.stdout);
let asked = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    asked += 1;
    // A scenario ends by itself, with its report, and then the fleet; whoever asks again means at once.
    if (!isScenarioRunning() || asked > 1) process.exit(1);
  });
}
try {
  const order = readOrder(process.argv.slice(2));
  process.exitCode = order.kind === 'compare' ? await compare(order) : await load(order);
} catch (error) {
  progress.say(`loadtest: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** @returns 0: all thresholds were kept */
async function load(order: Extract<Order, { kind: 'run' }>): Promise<number> {
  const { result, code } = await runLoad(order, progress);
  if (result.total.requests === 0) {
    progress.say(`${result.scenario} FAILED: its users made no request`);
    return code === 0 ? 1 : code;
  }
  progress.say(summaryOf(result));
  const file = order.report ?? reportFile(result.scenario, result.beganMs);
  await writePage(file, reportOf(result));
  const passed = hasPassed(result) && code === 0;
  progress.say(`${result.scenario} ${passed ? 'passed' : 'FAILED'} on ${result.target}; the report: ${file}`);
  if (code !== 0) return code;
  return passed ? 0 : THRESHOLDS_CROSSED;
}

async function compare({ reports, report }: Extract<Order, { kind: 'compare' }>): Promise<number> {
  const [first, second] = [await readReport(reports[0]), await readReport(reports[1])];
  progress.say(comparisonText(first, second));
  const file = report ?? reportFile('compare', Date.now());
  await writePage(file, comparisonPage(first, second));
  progress.say(`the page: ${file}`);
  return 0;
}

function reportFile(name: string, atMs: number): string {
  const stamp = new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return join(REPORTS, `${name}-${stamp}.html`);
}
