import { type Html, html } from './html.ts';
import { linearScale, logScale, type Scale } from './scale.ts';

export interface Line {
  readonly name: string;
  /** Its colour: one of the style's `line-…`. */
  readonly colour: 'a' | 'b' | 'c' | 'bad';
  /** One for each moment; undefined: nothing was measured then. */
  readonly values: readonly (number | undefined)[];
  /** The one that stands beside its name; undefined: there is none. */
  readonly figure: number | undefined;
}

export interface Plot {
  readonly title: string;
  /** 'log': what is a thousand times as much can be read in the same plot. */
  readonly scale: 'linear' | 'log';
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly write: (value: number) => string;
  /** What stands there when nothing was measured. */
  readonly empty: string;
  /** The end of the time axis, and how long it is. */
  readonly endMs: number;
  readonly spanMs: number;
  /** What stands below the axis: at its beginning, in its middle, at its end. */
  readonly axis: readonly [string, string, string];
  /** How a moment is told to who points at it. */
  readonly tell: (timeMs: number) => string;
  /** How far moments are from each other; where they are further, nobody looked. */
  readonly stepMs: number;
}

const WIDTH = 600;
const HEIGHT = 120;

/** A small plot over time. The drawing is stretched to its place, so all text stands beside it. */
export function plot(plot: Plot): Html {
  const { title, lines, write, empty, axis } = plot;
  const values = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const scale = plot.scale === 'log' ? logScale(values) : linearScale(values);
  return html`<figure>
  <figcaption><h3>${title}</h3>${lines.map(
    ({ name, colour, figure }) =>
      html`<span class="key line-${colour}"><i></i>${name} <b>${written(figure, write)}</b></span>`,
  )}</figcaption>
  <div class="plot">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary(plot)}">
      <line class="grid" x1="0" x2="${WIDTH}" y1="${HEIGHT}" y2="${HEIGHT}"/>
      ${scale.marks.map((mark) => gridLine(scale, mark))}
      ${lines.map((line) => pathOf(plot, line, scale))}
      ${plot.times.map((_, at) => hint(plot, at))}
    </svg>
    ${scale.marks.map((mark) => html`<span class="${placeOf(scale, mark)}">${write(mark)}</span>`)}
    ${values.length === 0 ? html`<p class="nothing">${empty}</p>` : ''}
  </div>
  <div class="axis">${axis.map((text) => html`<span>${text}</span>`)}</div>
</figure>`;
}

function gridLine(scale: Scale, mark: number): Html {
  const y = HEIGHT * (1 - scale.place(mark));
  return html`<line class="grid" x1="0" x2="${WIDTH}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`;
}

/** The style's class for a height, in steps of a twelfth: the policy of the page forbids styles of single elements. */
function placeOf(scale: Scale, mark: number): string {
  return `at-${Math.round(12 * scale.place(mark))}`;
}

function pathOf(plot: Plot, { colour, values }: Line, scale: Scale): Html {
  const runs: { readonly x: number; readonly y: number }[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const [at, timeMs] of plot.times.entries()) {
    const value = values[at];
    if (value === undefined) continue;
    if (timeMs - lastMs > 1.5 * plot.stepMs) runs.push([]);
    runs.at(-1)?.push({ x: xOf(plot, timeMs), y: HEIGHT * (1 - scale.place(value)) });
    lastMs = timeMs;
  }
  const d = runs.map((run) => {
    const points = run.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
    // One point alone is drawn as the time that it stands for.
    return run.length > 1 ? `M${points}` : `M${points}h-${stepOf(plot).toFixed(1)}`;
  });
  return html`<path class="line-${colour}" d="${d.join('')}"/>`;
}

/** What was measured at a moment, told to who points at it. */
function hint(plot: Plot, at: number): Html {
  const timeMs = plot.times[at] ?? 0;
  const values = plot.lines.map(({ name, values }) => `${name} ${written(values[at], plot.write)}`).join(', ');
  const step = stepOf(plot);
  const x = xOf(plot, timeMs) - step / 2;
  return html`<rect class="hint" x="${x.toFixed(1)}" y="0" width="${step.toFixed(1)}" height="${HEIGHT}"><title>${plot.tell(timeMs)}: ${values}</title></rect>`;
}

function summary({ title, lines, write }: Plot): string {
  return `${title}: ${lines.map(({ name, figure }) => `${name} ${written(figure, write)}`).join(', ')}`;
}

function xOf({ endMs, spanMs }: Plot, timeMs: number): number {
  return WIDTH * (1 - (endMs - timeMs) / spanMs);
}

function stepOf({ stepMs, spanMs }: Plot): number {
  return (WIDTH * stepMs) / spanMs;
}

function written(value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? '–' : write(value);
}
