import { bytes, count, milliseconds, rate } from '../../services/gateway/src/admin/figures.ts';
import type { Figures, Point, Result, Verdict } from './result.ts';

/** Lines that tell how far it is: one that changes where that can be shown, else one now and then. */
export interface Progress {
  /** Every line is shown. */
  say(line: string): void;
  /** Shown for a moment. */
  show(line: string): void;
}

const SHOW_EVERY_MS = 5_000;

export function createProgress(out: NodeJS.WriteStream): Progress {
  let shownMs = 0;
  let open = false;
  return {
    say(line) {
      out.write(`${open ? '\r\u001b[2K' : ''}${line}\n`);
      open = false;
    },
    show(line) {
      if (out.isTTY) {
        out.write(`\r\u001b[2K${line}`);
        open = true;
      } else if (Date.now() - shownMs >= SHOW_EVERY_MS) {
        shownMs = Date.now();
        out.write(`${line}\n`);
      }
    },
  };
}

/** How it goes at this moment. */
export function progressLine({ fromMs, ms, users, requests, failed, p50Ms, p99Ms }: Point, seconds: number): string {
  const at = `${Math.round((fromMs + ms) / 1000)} s of ${seconds} s`;
  const latency = `p50 ${shownMs(p50Ms)}, p99 ${shownMs(p99Ms)}`;
  return `${at}: ${users} users, ${rate((requests * 1000) / ms)} requests/s, ${latency}, ${count(failed)} failed`;
}

/** What a run came to, as lines. */
export function summaryOf(result: Result): string {
  const { total, operations, seconds, checks, faults, verdicts, bytesIn, bytesOut } = result;
  const figures = (name: string, of: Figures) => [
    name,
    count(of.requests),
    rate(of.requests / seconds),
    count(of.failed),
    ...[of.p50Ms, of.p95Ms, of.p99Ms, of.longestMs].map(shownMs),
  ];
  const rows = [
    ['', 'requests', 'a second', 'failed', 'p50', 'p95', 'p99', 'longest'],
    ...operations.map((operation) => figures(operation.name, operation)),
    ...(operations.length > 1 ? [figures('all', total)] : []),
  ];
  return [
    '',
    ...table(rows),
    `${rate(seconds)} s, ${bytes(bytesIn / seconds)}/s in, ${bytes(bytesOut / seconds)}/s out`,
    '',
    ...checks.map(({ name, passed, failed }) =>
      failed === 0
        ? `ok      ${name} (${count(passed)} times)`
        : `FAILED  ${name} (${count(failed)} of ${count(passed + failed)} times)`,
    ),
    ...faults.map(
      ({ operation, status, code, count: times }) =>
        `        ${operation}: ${status === 0 ? `no answer (k6's error ${code})` : `status ${status}`}, ${count(times)} times`,
    ),
    '',
    ...verdicts.map(
      (verdict) =>
        `${verdict.kept ? 'ok    ' : 'FAILED'}  ${verdict.metric} ${verdict.threshold}: ${foundText(verdict)}`,
    ),
    '',
  ].join('\n');
}

/** What was found for a threshold, in its unit. */
function foundText({ found, unit }: Verdict): string {
  if (found === undefined) return 'nothing was measured';
  if (unit === 'ms') return milliseconds(found);
  return unit === 'part' ? partText(found) : `${rate(found)} a second`;
}

/** A failure in ten thousand is seen. */
function partText(part: number): string {
  return `${Number((100 * part).toFixed(3))} %`;
}

function shownMs(ms: number | undefined): string {
  return ms === undefined ? '–' : milliseconds(ms);
}

/** Columns as wide as what is in them; the first one to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
