import { readdirSync, readFileSync } from 'node:fs';

/** Of Linux, where USER_HZ is 100 on every machine that Node runs on. Source: proc(5), /proc/PID/stat */
const TICK_MS = 10;

/**
 * Processor time that a process and all whom it has started have had so far, in milliseconds.
 * @throws Error when it is not there
 */
export function processorMs(pid: number): number {
  const parents = new Map<number, { readonly parent: number; readonly ms: number }>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    if (stat !== undefined) parents.set(Number(name), stat);
  }
  if (!parents.has(pid)) throw new Error(`there is no process ${pid}`);
  let sum = 0;
  for (const [each, { ms }] of parents) {
    let at = each;
    while (at !== pid && at > 1) at = parents.get(at)?.parent ?? 0;
    if (at === pid) sum += ms;
  }
  return sum;
}

/** undefined: it has just ended. */
function readStat(pid: string): { readonly parent: number; readonly ms: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The program's name, in parentheses, may have any character.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}
