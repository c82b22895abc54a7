import { it } from 'vitest';
import { expectNoHarm } from './outsider.ts';

const MINUTES = 60_000;

it.each([51, 52, 53, 54])(
  "Pachyderm's own client is refused nothing and loses nothing in a long run (seed %i)",
  (seed) => expectNoHarm({ seed, steps: 150 }),
  10 * MINUTES,
);
