import { readFile } from 'node:fs/promises';
import { bytes, count, rate } from '../../services/gateway/src/admin/figures.ts';
import { type Html, html, raw } from '../../services/gateway/src/admin/html.ts';
import { page, pill, tableOf, tile } from './page.ts';
import { plotsOf } from './plots.ts';
import { hasPassed, type Result } from './result.ts';
import {
  FIGURES_HEAD,
  faultText,
  figuresTexts,
  foundText,
  measureText,
  namedFigures,
  partText,
  shownMs,
} from './texts.ts';

/** A report is a page for people that has its figures in it, for the comparison with another one. */

const DATA_BEGIN = '<script type="application/json" id="result">';
const DATA_END = '</script>';

/** What a report was made of. @throws Error when the file is none */
export async function readReport(file: string): Promise<Result> {
  const text = await readFile(file, 'utf8');
  const begin = text.indexOf(DATA_BEGIN);
  const result =
    begin < 0
      ? undefined
      : (JSON.parse(text.slice(begin + DATA_BEGIN.length, text.indexOf(DATA_END, begin))) as Result);
  if (result?.version !== 1) throw new Error(`${file} is no report of a load test`);
  return result;
}

/** The page of a result. */
export function reportOf(result: Result): string {
  const { scenario, about, target, beganMs, users, seconds, verdicts } = result;
  const passed = hasPassed(result);
  const crossed = verdicts
    .filter(({ kept }) => !kept)
    .map((verdict) => `${measureText(verdict)} ${foundText(verdict)}`);
  const main = html`<header>
  <h1>${scenario}</h1>
  ${pill(passed, passed ? 'passed' : 'failed')}${passed ? '' : html`<span class="not-ready">${crossed.join(', ')}</span>`}
  <span class="aside">${count(users)} users · ${rate(seconds)} s · ${new Date(beganMs).toISOString().slice(0, 16).replace('T', ' ')} UTC</span>
</header>
<p class="about">${about} On ${target}.</p>
${tiles(result)}
<section class="plots">${plotsOf(result)}</section>
${failures(result)}
<div class="pair">
<section>
  <h2>Thresholds</h2>
  ${tableOf(
    ['', 'threshold', 'found'],
    2,
    verdicts.map((verdict) => [
      pill(verdict.kept, verdict.kept ? 'kept' : 'crossed'),
      html`${measureText(verdict)} <small>${verdict.threshold}</small>`,
      foundText(verdict),
    ]),
  )}
</section>
<section>
  <h2>Operations</h2>
  ${tableOf(
    ['', ...FIGURES_HEAD],
    1,
    namedFigures(result).map((figures) => [figures.name, ...figuresTexts(figures, seconds)]),
  )}
</section>
</div>
${raw(`${DATA_BEGIN}${JSON.stringify(result).replaceAll('<', '\\u003c')}${DATA_END}`)}`;
  return page(`${scenario}: ${passed ? 'passed' : 'failed'}`, main);
}

function tiles({ total, seconds, checks, bytesIn }: Result): Html {
  const { requests, failed } = total;
  const wrong = checks.reduce((sum, check) => sum + check.failed, 0);
  const right = checks.reduce((sum, check) => sum + check.passed, 0);
  return html`<dl class="tiles">
  ${tile('Requests a second', rate(requests / seconds), `${count(requests)} in all`)}
  ${tile('p50', shownMs(total.p50Ms), 'half took no longer')}
  ${tile('p99', shownMs(total.p99Ms), `longest ${shownMs(total.longestMs)}`)}
  ${tile('Failed', requests === 0 ? '–' : partText(failed / requests), `${count(failed)} of ${count(requests)} requests`, failed > 0 ? 'bad' : '')}
  ${tile('Wrong', count(wrong), `of ${count(wrong + right)} checks; ${bytes(bytesIn)} were read`, wrong > 0 ? 'bad' : '')}
</dl>`;
}

/** What went wrong, if anything did. */
function failures({ checks, faults }: Result): Html {
  const wrong = checks.filter(({ failed }) => failed > 0);
  if (wrong.length === 0 && faults.length === 0) return html``;
  return html`<section>
  <h2>What failed</h2>
  ${tableOf(['what', 'times'], 1, [
    ...wrong.map(({ name, passed, failed }) => [`check: ${name}`, `${count(failed)} of ${count(passed + failed)}`]),
    ...faults.map((fault) => [`${fault.operation}: ${faultText(fault)}`, count(fault.count)]),
  ])}
</section>`;
}
