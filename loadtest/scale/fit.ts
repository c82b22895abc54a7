/** A line through points. */
export interface Line {
  readonly at0: number;
  readonly slope: number;
}

/** The line with the least squares of relative errors, so that small values count as much as large ones. @throws with one point only */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const [x, y] of points) {
    const weight = 1 / y ** 2;
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const determinant = w * wxx - wx ** 2;
  if (!(determinant > 1e-12 * w * wxx)) throw new Error('a line needs two points');
  const slope = (w * wxy - wx * wy) / determinant;
  return { at0: (wy - slope * wx) / w, slope };
}

export function onLine({ at0, slope }: Line, x: number): number {
  return at0 + slope * x;
}
