import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Devpachd, startDevpachd } from '../../support/devpachd.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { harmDone, NO_HARM } from '../devpachd-debug.ts';
import { runHistory } from './history.ts';

const SEEDS = Array.from({ length: 3 }, (_, at) => 100 + at);

let dataDir: string;
let devpachd: Devpachd;
let startedByOthers = 0;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tusk-test-'));
  // A pachd that takes its time: then several commits of a branch are unfinished at once.
  devpachd = await startDevpachd({ dataDir, finishMs: 300 });
});
afterAll(async () => {
  await devpachd.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe.each(['1', '4'])('with %s unfinished commits of a branch at the most', (pending) => {
  let tusk: Tusk;
  beforeAll(async () => {
    tusk = await startTusk({
      pachd: devpachd.address,
      env: { TUSK_HEAD_TTL_MS: '0', TUSK_WRITE_PENDING: pending, TUSK_ACCESS_LOG: 'off' },
    });
  });
  afterAll(() => tusk.stop());

  it.each(SEEDS)('requests take effect one at a time (seed %i)', (seed) => check(seed, 12, false));
  it.each(SEEDS)('and so they do while somebody else commits (seed %i)', (seed) => check(seed, 8, true));

  async function check(seed: number, clients: number, outsider: boolean): Promise<void> {
    const options = { seed, clients, requestsEach: 25, pachdAt: devpachd.address, outsider };
    const history = await runHistory([tusk.url], options);
    startedByOthers += history.startedByOthers;
    expect(history.record.contradictions()).toEqual([]);
    expect(await harmDone(devpachd.address, startedByOthers)).toEqual(NO_HARM);
  }
});
