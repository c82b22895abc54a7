import { bytes, count, rate } from '../../services/gateway/src/admin/figures.ts';
import type { Point, Result } from './result.ts';
import { FIGURES_HEAD, faultText, figuresTexts, foundText, namedFigures, shownMs, table } from './texts.ts';

/** How it goes at this moment. */
export function progressLine({ fromMs, ms, users, requests, failed, p50Ms, p99Ms }: Point, seconds: number): string {
  const at = `${Math.round((fromMs + ms) / 1000)} s of ${seconds} s`;
  const latency = `p50 ${shownMs(p50Ms)}, p99 ${shownMs(p99Ms)}`;
  return `${at}: ${users} users, ${rate((requests * 1000) / ms)} requests/s, ${latency}, ${count(failed)} failed`;
}

/** What a run came to, as lines. */
export function summaryOf(result: Result): string {
  const { seconds, checks, faults, verdicts, bytesIn, bytesOut } = result;
  const rows = [
    ['', ...FIGURES_HEAD],
    ...namedFigures(result).map((figures) => [figures.name, ...figuresTexts(figures, seconds)]),
  ];
  return [
    '',
    ...table(rows),
    `${rate(seconds)} s, ${bytes(bytesIn / seconds)}/s in, ${bytes(bytesOut / seconds)}/s out`,
    '',
    ...checks.map(({ name, passed, failed }) => {
      const times = failed === 0 ? `${count(passed)} times` : `${count(failed)} of ${count(passed + failed)} times`;
      return `${mark(failed === 0)} ${name} (${times})`;
    }),
    ...faults.map((fault) => `${mark(false)} ${fault.operation}: ${faultText(fault)} (${count(fault.count)} times)`),
    '',
    ...verdicts.map((verdict) => `${mark(verdict.kept)} ${verdict.metric} ${verdict.threshold}: ${foundText(verdict)}`),
    '',
  ].join('\n');
}

function mark(good: boolean): string {
  return good ? 'ok     ' : 'FAILED ';
}
