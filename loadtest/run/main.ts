import { type RunOrder, readOrder } from './options.ts';
import { hasPassed } from './result.ts';
import { runLoad } from './run.ts';
import { createProgress, summaryOf } from './terminal.ts';

/** `npm run loadtest`: runs a scenario of loadtest/k6, and says what came of it. */

/** What k6 ends with when thresholds are crossed. */
const THRESHOLDS_CROSSED = 99;

const progress = createProgress(process.stdout);
try {
  process.exitCode = await load(readOrder(process.argv.slice(2)));
} catch (error) {
  progress.say(`loadtest: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function load(order: RunOrder): Promise<number> {
  const { result, code } = await runLoad(order, progress);
  progress.say(summaryOf(result));
  const passed = hasPassed(result) && code === 0;
  progress.say(`${result.scenario} ${passed ? 'passed' : 'FAILED'} on ${result.target}`);
  if (code !== 0) return code;
  return passed ? 0 : THRESHOLDS_CROSSED;
}
