import { count, milliseconds, rate } from '../../services/gateway/src/admin/figures.ts';
import type { FaultFigures, Figures, OperationFigures, Result, Verdict } from './result.ts';

/** How figures are told, on the terminal and in reports. */

/** What was found for a threshold, in its unit. */
export function foundText({ found, unit }: Verdict): string {
  if (found === undefined) return 'nothing was measured';
  if (unit === 'ms') return milliseconds(found);
  return unit === 'part' ? partText(found) : `${rate(found)} a second`;
}

/** What a threshold is about, in words. */
export function measureText({ metric }: Verdict): string {
  const [, name = '', operation = 'all requests'] = /^(\w+)(?:\{name:(\w+)\})?$/.exec(metric) ?? [];
  if (name === 'http_req_duration') return `latency of ${operation}`;
  if (name === 'http_req_failed') return `failed of ${operation}`;
  return name === 'checks' ? 'checks that passed' : 'iterations for which no user was free';
}

/** A failure in ten thousand is seen. */
export function partText(part: number): string {
  return `${Number((100 * part).toFixed(3))} %`;
}

export function shownMs(ms: number | undefined): string {
  return ms === undefined ? '–' : milliseconds(ms);
}

/** Columns as wide as what is in them; the first one to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Why requests failed. Source: k6's documentation, "Error codes". */
export function faultText({ status, code }: FaultFigures): string {
  return status === 0 ? `no answer (k6's error ${code})` : `status ${status}`;
}

export const FIGURES_HEAD: readonly string[] = ['requests', 'a second', 'failed', 'p50', 'p95', 'p99', 'longest'];

/** One for each name of FIGURES_HEAD. */
export function figuresTexts(of: Figures, seconds: number): readonly string[] {
  const latencies = [of.p50Ms, of.p95Ms, of.p99Ms, of.longestMs].map(shownMs);
  return [count(of.requests), rate(of.requests / seconds), count(of.failed), ...latencies];
}

/** The operations of a result, and all of them together if they are several. */
export function namedFigures({ operations, total }: Result): readonly OperationFigures[] {
  return operations.length > 1 ? [...operations, { name: 'all', ...total }] : operations;
}
