import { bytes, milliseconds, rate } from '../../services/gateway/src/admin/figures.ts';
import { type Html, html } from '../../services/gateway/src/admin/html.ts';
import { type Line, type Plot, plot } from '../../services/gateway/src/admin/plot.ts';
import type { Point, Result } from './result.ts';

/** Plots over the time since a test began. */

const EMPTY = 'Nothing was measured';

/** One curve, and the points that it goes through. */
interface Curve {
  readonly name: string;
  readonly colour: Line['colour'];
  readonly points: readonly Point[];
  readonly value: (point: Point) => number | undefined;
  readonly figure: number | undefined;
}

/** What one test came to. */
export function plotsOf({ points, total, seconds, bytesIn, bytesOut, users }: Result): readonly Html[] {
  const curve = (name: string, colour: Line['colour'], value: Curve['value'], figure: number | undefined): Curve => ({
    name,
    colour,
    points,
    value,
    figure,
  });
  return [
    wide(
      draw('Latency', 'log', milliseconds, [
        curve('p50', 'a', ({ p50Ms }) => p50Ms, total.p50Ms),
        curve('p95', 'c', ({ p95Ms }) => p95Ms, total.p95Ms),
        curve('p99', 'b', ({ p99Ms }) => p99Ms, total.p99Ms),
      ]),
    ),
    draw('Requests a second', 'linear', rate, [
      curve(
        'all',
        'a',
        perSecond((point) => point.requests),
        total.requests / seconds,
      ),
      curve(
        'failed',
        'bad',
        perSecond((point) => point.failed),
        total.failed / seconds,
      ),
    ]),
    draw('Errors, part of all requests', 'linear', percentText, [
      curve('failed', 'bad', failedPart, total.requests === 0 ? undefined : total.failed / total.requests),
    ]),
    draw('Bytes a second', 'linear', bytes, [
      curve(
        'from the target',
        'a',
        perSecond((point) => point.bytesIn),
        bytesIn / seconds,
      ),
      curve(
        'to it',
        'b',
        perSecond((point) => point.bytesOut),
        bytesOut / seconds,
      ),
    ]),
    draw('Users', 'linear', rate, [curve('at once', 'a', (point) => point.users, users)]),
  ];
}

/** Two tests over each other. */
export function plotsOfBoth(first: Result, second: Result): readonly Html[] {
  const both = (value: Curve['value'], figure: (result: Result) => number | undefined): readonly Curve[] => [
    { name: 'first', colour: 'b', points: first.points, value, figure: figure(first) },
    { name: 'second', colour: 'a', points: second.points, value, figure: figure(second) },
  ];
  return [
    draw(
      'Latency, p50',
      'log',
      milliseconds,
      both(
        ({ p50Ms }) => p50Ms,
        ({ total }) => total.p50Ms,
      ),
    ),
    draw(
      'Latency, p99',
      'log',
      milliseconds,
      both(
        ({ p99Ms }) => p99Ms,
        ({ total }) => total.p99Ms,
      ),
    ),
    draw(
      'Requests a second',
      'linear',
      rate,
      both(
        perSecond((point) => point.requests),
        ({ total, seconds }) => total.requests / seconds,
      ),
    ),
    draw('Errors, part of all requests', 'linear', percentText, both(failedPart, partFailed)),
  ];
}

/** undefined: there was no request. */
function partFailed({ total }: Result): number | undefined {
  return total.requests === 0 ? undefined : total.failed / total.requests;
}

function draw(title: string, scale: Plot['scale'], write: Plot['write'], curves: readonly Curve[]): Html {
  const middle = ({ fromMs, ms }: Point) => fromMs + ms / 2;
  const times = [...new Set(curves.flatMap(({ points }) => points.map(middle)))].sort((a, b) => a - b);
  const endMs = Math.max(1_000, ...curves.flatMap(({ points }) => points.map(({ fromMs, ms }) => fromMs + ms)));
  const lines = curves.map(({ name, colour, points, value, figure }) => {
    const at = new Map(points.map((point) => [middle(point), value(point)]));
    return { name, colour, figure, values: times.map((timeMs) => at.get(timeMs)) };
  });
  return plot({
    title,
    scale,
    write,
    lines,
    times,
    endMs,
    spanMs: endMs,
    stepMs: Math.max(1, ...curves.flatMap(({ points }) => points.map(({ ms }) => ms))),
    axis: ['0', since(endMs / 2), since(endMs)],
    tell: since,
    empty: EMPTY,
  });
}

function wide(figure: Html): Html {
  return html`<div class="wide">${figure}</div>`;
}

function perSecond(value: (point: Point) => number): Curve['value'] {
  return (point) => (value(point) * 1_000) / point.ms;
}

function failedPart({ requests, failed }: Point): number | undefined {
  return requests === 0 ? undefined : failed / requests;
}

function percentText(part: number): string {
  return `${Number((100 * part).toPrecision(2))} %`;
}

/** How long after the beginning. */
function since(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 120) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  return seconds < 7_200 ? `${Number((seconds / 60).toFixed(1))} min` : `${Number((seconds / 3_600).toFixed(1))} h`;
}
