import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startTusk } from '../../support/tusk.ts';
import { expectUnharmed } from './aftermath.ts';
import { startLoad, waitForProgress } from './load.ts';

it('SIGTERM under load: it ends by itself, and what it acknowledged is there at the next start', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-test-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startTusk({ dataDir, env: { TUSK_ACCESS_LOG: 'off' } });
  onTestFinished(() => first.stop().then(() => undefined));
  const load = await startLoad(first, 3);
  await waitForProgress(load, 100);
  const exit = await first.stop();
  await load.stop();
  expect(exit).toEqual({ code: 0, signal: null });
  expect(first.program.alive()).toEqual([]);

  const second = await startTusk({ dataDir });
  onTestFinished(() => second.stop().then(() => undefined));
  await expectUnharmed(second, load);
});
