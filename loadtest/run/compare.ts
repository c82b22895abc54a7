import { count, rate } from '../../services/gateway/src/admin/figures.ts';
import { type Html, html } from '../../services/gateway/src/admin/html.ts';
import { page, pill, tableOf } from './page.ts';
import { plotsOfBoth } from './plots.ts';
import { type Figures, hasPassed, type OperationFigures, type Result } from './result.ts';
import { partText, shownMs, table } from './texts.ts';

/** Two results beside each other. */

/** What differs by less is not called better or worse: two runs of the same differ by as much. */
const NOTED = 0.1;

interface Row {
  readonly name: string;
  readonly first: string;
  readonly second: string;
  /** How much the second one has more of it, as a part of the first; undefined: it cannot be said. */
  readonly change: number | undefined;
  readonly verdict: 'better' | 'worse' | 'same';
}

interface Measure {
  readonly name: string;
  readonly value: (figures: Figures, seconds: number) => number | undefined;
  readonly text: (value: number | undefined) => string;
  readonly good: 'more' | 'less';
}

const MEASURES: readonly Measure[] = [
  { name: 'requests a second', value: ({ requests }, seconds) => requests / seconds, text: rateText, good: 'more' },
  { name: 'p50', value: ({ p50Ms }) => p50Ms, text: shownMs, good: 'less' },
  { name: 'p95', value: ({ p95Ms }) => p95Ms, text: shownMs, good: 'less' },
  { name: 'p99', value: ({ p99Ms }) => p99Ms, text: shownMs, good: 'less' },
  {
    name: 'failed',
    value: ({ requests, failed }) => (requests === 0 ? undefined : failed / requests),
    text: (part) => (part === undefined ? '–' : partText(part)),
    good: 'less',
  },
];

/** As a table for the terminal. */
export function comparisonText(first: Result, second: Result): string {
  const rows = rowsOf(first, second).map((row) => [row.name, row.first, row.second, changeText(row), row.verdict]);
  return [describe('first ', first), describe('second', second), '', ...table([['', ...HEAD], ...rows]), ''].join('\n');
}

/** As a page. */
export function comparisonPage(first: Result, second: Result): string {
  const main = html`<header>
  <h1>${first.scenario === second.scenario ? first.scenario : `${first.scenario} and ${second.scenario}`}</h1>
  <span class="aside">two load tests beside each other</span>
</header>
<section>
  ${tableOf(
    ['', 'began (UTC)', 'target', 'users', 'seconds'],
    3,
    [first, second].map((result, number) => [
      html`<span class="key line-${number === 0 ? 'b' : 'a'}"><i></i>${number === 0 ? 'first' : 'second'}</span> ${pill(hasPassed(result), outcome(result))}`,
      begun(result),
      result.target,
      count(result.users),
      rate(result.seconds),
    ]),
  )}
</section>
<section class="plots">${plotsOfBoth(first, second)}</section>
<section>
  <h2>Figures</h2>
  ${tableOf(
    ['', ...HEAD],
    1,
    rowsOf(first, second).map((row) => [row.name, row.first, row.second, changeText(row), verdictCell(row)]),
  )}
</section>`;
  return page(`${first.scenario}: two load tests`, main);
}

const HEAD = ['first', 'second', 'change', ''];

function rowsOf(first: Result, second: Result): readonly Row[] {
  const after = figuresOf(second);
  return figuresOf(first).flatMap((figures) => {
    const others = after.find(({ name }) => name === figures.name);
    // What only one of them did cannot be compared.
    if (others === undefined) return [];
    return MEASURES.map((measure) => {
      const [old, now] = [measure.value(figures, first.seconds), measure.value(others, second.seconds)];
      return {
        name: `${figures.name} ${measure.name}`,
        first: measure.text(old),
        second: measure.text(now),
        ...judged(old, now, measure.good),
      };
    });
  });
}

function figuresOf({ total, operations }: Result): readonly OperationFigures[] {
  return [{ name: 'all', ...total }, ...operations];
}

function judged(
  old: number | undefined,
  now: number | undefined,
  good: Measure['good'],
): Pick<Row, 'change' | 'verdict'> {
  if (old === undefined || now === undefined || old === now) return { change: undefined, verdict: 'same' };
  const change = old === 0 ? undefined : now / old - 1;
  if (change !== undefined && Math.abs(change) < NOTED) return { change, verdict: 'same' };
  return { change, verdict: now > old === (good === 'more') ? 'better' : 'worse' };
}

function changeText({ change }: Row): string {
  if (change === undefined) return '';
  return `${change < 0 ? '−' : '+'}${Math.round(100 * Math.abs(change))} %`;
}

function verdictCell({ verdict }: Row): Html {
  return html`<span class="${verdict}">${verdict}</span>`;
}

function describe(which: string, result: Result): string {
  const { scenario, target, users, seconds } = result;
  return `${which}  ${scenario} of ${begun(result)} UTC, ${outcome(result)}: ${count(users)} users for ${rate(seconds)} s on ${target}`;
}

function outcome(result: Result): string {
  return hasPassed(result) ? 'passed' : 'failed';
}

function begun({ beganMs }: Result): string {
  return new Date(beganMs).toISOString().slice(0, 19).replace('T', ' ');
}

function rateText(value: number | undefined): string {
  return value === undefined ? '–' : rate(value);
}
