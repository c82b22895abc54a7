import { describe, expect, it } from 'vitest';
import { bytes, count, milliseconds, percent, rate } from '../../../src/admin/figures.ts';
import { html, raw } from '../../../src/admin/html.ts';
import { linearScale, logScale } from '../../../src/admin/scale.ts';

it('what is put into a page is text, whatever it looks like', () => {
  const nasty = `<img src=x onerror="alert('1')">&`;
  const { html: text } = html`<p title="${nasty}">${nasty}${[html`<b>${1}</b>`, undefined]}${raw('<i>')}</p>`;
  const escaped = '&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;';
  expect(text).toBe(`<p title="${escaped}">${escaped}<b>1</b><i></p>`);
});

it('figures are short and have their units', () => {
  expect([0, 0.044, 5.31, 1_234.4, 1_234_567, 45_678_901].map(rate)).toEqual([
    '0',
    '0.04',
    '5.3',
    '1,234',
    '1.2 M',
    '46 M',
  ]);
  expect([0.42, 12.3, 999, 1_500, 45_000, 900_000].map(milliseconds)).toEqual([
    '0.4 ms',
    '12 ms',
    '999 ms',
    '1.5 s',
    '45 s',
    '15.0 min',
  ]);
  expect([0, 999, 1_500, 123_456_789].map(bytes)).toEqual(['0 B', '999 B', '1.5 KB', '123 MB']);
  expect([0, 0.5, 0.9971, 1].map(percent)).toEqual(['0 %', '50 %', '99.7 %', '100 %']);
  expect(count(7)).toBe('7');
});

describe('the scale of a plot', () => {
  it('ends at a round number above all values', () => {
    const { marks, place } = linearScale([3, 37]);
    expect(marks).toEqual([40, 20]);
    expect([0, 10, 40].map(place)).toEqual([0, 0.25, 1]);
    expect(linearScale([]).marks).toEqual([]);
    expect(linearScale([0, 0]).place(0)).toBe(0);
  });

  it('has as many decades as the values take, and a few at the most', () => {
    const { marks, place } = logScale([2, 900]);
    expect(marks).toEqual([1_000, 100, 10]);
    expect([1, 10, 1_000].map(place)).toEqual([0, expect.closeTo(1 / 3), 1]);
    expect(logScale([0.001, 50_000]).marks).toEqual([100_000, 10_000, 1_000, 100]);
    expect(logScale([0.001, 50_000]).place(0.001)).toBe(0);
    expect(logScale([5]).marks).toEqual([10, 1]);
    expect(logScale([0]).place(0)).toBe(0);
  });
});
