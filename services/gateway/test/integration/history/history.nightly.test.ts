import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Devpachd, startDevpachd } from '../../support/devpachd.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { runHistory } from './history.ts';

const SEEDS = Array.from({ length: 3 }, (_, at) => 100 + at);

let dataDir: string;
let devpachd: Devpachd;
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

  it.each(SEEDS)('requests take effect one at a time (seed %i)', async (seed) => {
    const record = await runHistory(tusk.url, { seed, clients: 12, requestsEach: 25 });
    expect(record.contradictions()).toEqual([]);
  });

  it.each(SEEDS)('and so they do while somebody else commits (seed %i)', async (seed) => {
    const record = await runHistory(tusk.url, { seed, clients: 8, requestsEach: 25, outsiderAt: devpachd.address });
    expect(record.contradictions()).toEqual([]);
  });
});
