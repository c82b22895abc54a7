import { afterAll, describe, it } from 'vitest';
import { tempFolder } from './harness.ts';
import { killAgainAndAgain } from './kill/kill.ts';

describe('kill -9 at any moment, many times', () => {
  const folder = tempFolder();
  afterAll(folder.remove);

  it('loses nothing that was acknowledged, and keeps no half of a call', async () => {
    await killAgainAndAgain(folder.path, 250);
  }, 1_800_000);
});
