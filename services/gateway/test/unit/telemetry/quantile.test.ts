import { expect, it } from 'vitest';
import { quantile } from '../../../src/telemetry/quantile.ts';

const BOUNDS = [1, 2, 4];

it.each([
  [[0, 0, 0, 0], 0.5, undefined],
  [[10, 0, 0, 0], 0.5, 0.5],
  [[5, 5, 0, 0], 0.5, 1],
  [[5, 5, 0, 0], 0.9, 1.8],
  [[0, 0, 4, 0], 1, 4],
  // Above all bounds nobody knows how far.
  [[1, 0, 0, 99], 0.99, 4],
])('of the counts %j, the part %d is below %d', (counts, part, value) => {
  const found = quantile({ counts }, BOUNDS, part);
  if (value === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(value);
});
