/** A plot as an SVG that stands by itself, readable on light and dark ground. */
export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly title: string;
  /** 'log': a thousand times as much can be read in the same plot. */
  readonly scale: 'linear' | 'log';
  /** What is written beside it, ascending: the first and the last are its ends. */
  readonly marks: readonly number[];
}

export interface Series {
  readonly name: string;
  readonly look: 'line' | 'dashed' | 'dots';
  readonly colour: 'a' | 'b' | 'c' | 'd';
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 760;
const HEIGHT = 430;
const LEFT = 96;
const RIGHT = 24;
const BOTTOM = 54;
const LEGEND_TOP = 52;
const LEGEND_ROW = 20;
const LEGEND_COLUMN = 330;

const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}.ground{fill:#fff}.grid{stroke:#d8dee4}
.a{--c:#0969da}.b{--c:#bc4c00}.c{--c:#1a7f37}.d{--c:#8250df}
.line,.dashed{fill:none;stroke:var(--c);stroke-width:2}.dashed{stroke-dasharray:6 5;stroke-width:1.5}.dots{fill:var(--c)}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}
.a{--c:#58a6ff}.b{--c:#f0883e}.c{--c:#3fb950}.d{--c:#bc8cff}}`;

export function svgOf(chart: Chart): string {
  const { title, x, y, series } = chart;
  const top = LEGEND_TOP + LEGEND_ROW * Math.ceil(series.length / 2);
  const place = {
    x: (value: number) => LEFT + partOf(x, value) * (WIDTH - LEFT - RIGHT),
    y: (value: number) => HEIGHT - BOTTOM - partOf(y, value) * (HEIGHT - BOTTOM - top),
  };
  const grid = [
    ...y.marks.map((mark) => {
      const at = fixed(place.y(mark));
      const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`;
      return `${line}<text x="${LEFT - 8}" y="${at}" text-anchor="end" dominant-baseline="middle">${written(mark)}</text>`;
    }),
    ...x.marks.map((mark) => {
      const at = fixed(place.x(mark));
      const line = `<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${HEIGHT - BOTTOM}"/>`;
      return `${line}<text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${written(mark)}</text>`;
    }),
  ];
  const middle = fixed((top + HEIGHT - BOTTOM) / 2);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>
<text class="title" x="${LEFT}" y="28">${escaped(title)}</text>
${series.map(legend).join('\n')}
${grid.join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(x.title)}</text>
<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escaped(y.title)}</text>
${series.map((one) => drawn(one, place)).join('\n')}
</svg>
`;
}

function drawn(
  { look, colour, points }: Series,
  place: { x(value: number): number; y(value: number): number },
): string {
  const at = points.map(([x, y]) => `${fixed(place.x(x))} ${fixed(place.y(y))}`);
  if (look !== 'dots') return `<path class="${look} ${colour}" d="M${at.join('L')}"/>`;
  const dots = points.map(([x, y]) => `<circle cx="${fixed(place.x(x))}" cy="${fixed(place.y(y))}" r="4.5"/>`);
  return `<g class="dots ${colour}">${dots.join('')}</g>`;
}

function legend({ name, look, colour }: Series, number: number): string {
  const [x, y] = [LEFT + LEGEND_COLUMN * (number % 2), LEGEND_TOP + LEGEND_ROW * Math.floor(number / 2) - 4];
  const sample =
    look === 'dots'
      ? `<circle class="dots ${colour}" cx="${x + 12}" cy="${y}" r="4.5"/>`
      : `<path class="${look} ${colour}" d="M${x} ${y}h24"/>`;
  return `${sample}<text x="${x + 32}" y="${y}" dominant-baseline="middle">${escaped(name)}</text>`;
}

/** 0: at the beginning of an axis, 1: at its end. */
function partOf({ scale, marks }: Axis, value: number): number {
  const of = scale === 'log' ? Math.log : (plain: number) => plain;
  const [low, high] = [of(marks[0] ?? Number.NaN), of(marks.at(-1) ?? Number.NaN)];
  return Math.min(1, Math.max(0, (of(value) - low) / (high - low)));
}

/** More would stand too close to each other. */
const MARKS_MAX = 10;

/** Round numbers for a logarithmic axis, from below all values to above them: 1, 2, 5, 10 ..., or only powers of ten. */
export function logMarks(values: readonly number[]): readonly number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const tens = Array.from({ length: high - low + 1 }, (_, above) => 10 ** (low + above));
  const marks = tens.flatMap((ten) => [ten, 2 * ten, 5 * ten]);
  const from = marks.findLastIndex((mark) => mark <= least);
  const close = marks.slice(from, marks.findIndex((mark) => mark >= most) + 1);
  return close.length > 1 && close.length <= MARKS_MAX ? close : tens;
}

/** Five steps of a round size from nothing to above all values. */
export function linearMarks(values: readonly number[]): readonly number[] {
  const [, step = 1] = logMarks([Math.max(...values) / 5, Math.max(...values) / 4]);
  return [0, 1, 2, 3, 4, 5].map((number) => number * step);
}

function written(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
