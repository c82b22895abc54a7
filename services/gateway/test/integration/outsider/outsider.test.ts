import { it } from 'vitest';
import { expectNoHarm } from './outsider.ts';

it("Pachyderm's own client is refused nothing and loses nothing beside clients of S3, nor they beside it", () =>
  expectNoHarm({ seed: 41, steps: 25 }));
