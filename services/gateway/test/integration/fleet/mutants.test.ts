import { expect, it } from 'vitest';
import { ROOT } from '../../support/program.ts';
import { editedSource, MUTANTS } from './mutants.ts';

// It takes too long to let them all be found out here (`npm run check:history -- --rules`), but what they leave out must be there.
it.each(MUTANTS)('$rule: can be left out of this build', (mutant) => {
  for (const change of [...(mutant.hiddenBy ?? []), mutant]) {
    expect(() => editedSource(ROOT, change)).not.toThrow();
  }
});
