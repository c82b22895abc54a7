/** How values become heights. */
export interface Scale {
  /** Values that are written beside the plot. */
  readonly marks: readonly number[];
  /** 0: at the bottom, 1: at the top. */
  place(value: number): number;
}

/** From nothing to a round number that no value is above; half of it is marked, too. */
export function linearScale(values: readonly number[]): Scale {
  const top = roundUp(Math.max(0, ...values));
  return top === 0 ? { marks: [], place: () => 0 } : { marks: [top, top / 2], place: (value) => value / top };
}

/** Decades, as many as the values take: two at least, four at the most. What is less stands at the bottom. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { marks: [], place: () => 0 };
  const top = Math.ceil(Math.log10(Math.max(...positive)));
  const bottom = Math.max(top - 4, Math.min(top - 2, Math.floor(Math.log10(Math.min(...positive)))));
  const decades = Array.from({ length: top - bottom }, (_, above) => 10 ** (top - above));
  return {
    marks: decades,
    place: (value) => Math.max(0, (Math.log10(Math.max(value, Number.MIN_VALUE)) - bottom) / (top - bottom)),
  };
}

/** The next number that is easy to halve. */
function roundUp(value: number): number {
  if (value <= 0) return 0;
  const unit = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((factor) => factor * unit >= value) ?? 10;
  return step * unit;
}
