import type { Distribution } from './registry.ts';

/** Below which value a part of what was observed is: as exact as the buckets are. undefined: nothing was observed. */
export function quantile(
  { counts }: Pick<Distribution, 'counts'>,
  bounds: readonly number[],
  part: number,
): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  const wanted = part * all;
  let below = 0;
  for (const [at, count] of counts.entries()) {
    const [from, to] = [bounds[at - 1] ?? 0, bounds[at]];
    // Nobody knows how far above the last bound.
    if (to === undefined) return from;
    if (count > 0 && below + count >= wanted) return from + ((to - from) * (wanted - below)) / count;
    below += count;
  }
  return bounds.at(-1);
}
