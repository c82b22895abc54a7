import { clock } from './figures.ts';
import { type Html, html } from './html.ts';

export interface Line {
  readonly name: string;
  /** Its colour: one of the style's `line-…`. */
  readonly colour: 'a' | 'b' | 'bad';
  /** One for each moment; undefined: nothing was measured then. */
  readonly values: readonly (number | undefined)[];
}

export interface Plot {
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly write: (value: number) => string;
  /** What stands there when nothing was measured. */
  readonly empty: string;
  /** The end of the time axis, and how long it is. */
  readonly nowMs: number;
  readonly spanMs: number;
  /** How far moments are from each other; where they are further, nobody looked. */
  readonly stepMs: number;
}

const WIDTH = 600;
const HEIGHT = 120;

/** A small plot over time. The drawing is stretched to its place, so all text stands beside it. */
export function plot(plot: Plot): Html {
  const { title, lines, write, empty } = plot;
  const values = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const top = roundUp(Math.max(0, ...values));
  return html`<figure>
  <figcaption><h3>${title}</h3>${lines.map(
    ({ name, colour, values }) =>
      html`<span class="key line-${colour}"><i></i>${name} <b>${written(values.at(-1), write)}</b></span>`,
  )}</figcaption>
  <div class="plot">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary(plot)}">
      ${[0, 0.5, 1].map((part) => html`<line class="grid" x1="0" x2="${WIDTH}" y1="${part * HEIGHT}" y2="${part * HEIGHT}"/>`)}
      ${lines.map((line) => pathOf(plot, line, top))}
      ${plot.times.map((_, at) => hint(plot, at))}
    </svg>
    ${top > 0 ? html`<span class="top">${write(top)}</span><span class="middle">${write(top / 2)}</span>` : ''}
    ${values.length === 0 ? html`<p class="nothing">${empty}</p>` : ''}
  </div>
  <div class="axis"><span>${Math.round(plot.spanMs / 60_000)} min ago</span><span>${Math.round(plot.spanMs / 120_000)} min</span><span>now</span></div>
</figure>`;
}

function pathOf(plot: Plot, { colour, values }: Line, top: number): Html {
  const runs: { readonly x: number; readonly y: number }[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const [at, timeMs] of plot.times.entries()) {
    const value = values[at];
    if (value === undefined || top === 0) continue;
    if (timeMs - lastMs > 1.5 * plot.stepMs) runs.push([]);
    runs.at(-1)?.push({ x: xOf(plot, timeMs), y: HEIGHT * (1 - value / top) });
    lastMs = timeMs;
  }
  const d = runs.map((run) => {
    const [first] = run;
    const points = run.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
    // One point alone is drawn as the time that it stands for.
    return run.length > 1 || first === undefined ? `M${points}` : `M${points}h-${stepOf(plot).toFixed(1)}`;
  });
  return html`<path class="line-${colour}" d="${d.join('')}"/>`;
}

/** What was measured at a moment, told to who points at it. */
function hint(plot: Plot, at: number): Html {
  const timeMs = plot.times[at] ?? 0;
  const values = plot.lines.map(({ name, values }) => `${name} ${written(values[at], plot.write)}`).join(', ');
  const step = stepOf(plot);
  return html`<rect class="hint" x="${(xOf(plot, timeMs) - step / 2).toFixed(1)}" y="0" width="${step.toFixed(1)}" height="${HEIGHT}"><title>${clock(timeMs)} UTC: ${values}</title></rect>`;
}

function summary({ title, lines, write }: Plot): string {
  return `${title}: ${lines.map(({ name, values }) => `${name} ${written(values.at(-1), write)}`).join(', ')}`;
}

function xOf({ nowMs, spanMs }: Plot, timeMs: number): number {
  return WIDTH * (1 - (nowMs - timeMs) / spanMs);
}

function stepOf({ stepMs, spanMs }: Plot): number {
  return (WIDTH * stepMs) / spanMs;
}

function written(value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? '–' : write(value);
}

/** The next number that is easy to halve. */
function roundUp(value: number): number {
  if (value <= 0) return 0;
  const unit = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((factor) => factor * unit >= value) ?? 10;
  return step * unit;
}
