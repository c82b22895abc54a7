import { describe, expect, it } from 'vitest';
import { createMemoryBranchCache } from '../../../src/cache/memory.ts';
import type { BranchCache } from '../../../src/cache/shared.ts';
import type { Caller } from '../../../src/pachd/model.ts';
import type { BucketRef } from '../../../src/pfs/bucket.ts';
import type { Delta } from '../../../src/pfs/overlay.ts';
import type { BranchState, Resolved } from '../../../src/pfs/resolve.ts';
import { createSharedView, type SharedView } from '../../../src/pfs/shared-view.ts';

const HOUR_MS = 3_600_000;
const BUCKET: BucketRef = { project: 'default', repo: 'data', branch: 'master', commitId: undefined };
const KEY = 'master.data.default';
const CALLER: Caller = { token: undefined, signal: new AbortController().signal };

const stateAt = (headId: string): BranchState => ({
  headId,
  commit: { project: 'default', repo: 'data', commitId: headId },
  commitMs: 0,
  pending: [],
  open: false,
  derived: false,
});

/** A view whose look-ups find what `pachd.headId` is then, after `during`. */
function viewOver(ttlMs = HOUR_MS) {
  const cache: BranchCache<BranchState, Delta> = createMemoryBranchCache(ttlMs);
  const pachd = { headId: 'first', looks: 0, during: async (_look: number): Promise<void> => {} };
  const view: SharedView = createSharedView(cache, async (): Promise<Resolved> => {
    pachd.looks += 1;
    await pachd.during(pachd.looks);
    return { state: stateAt(pachd.headId), deltas: new Map() };
  });
  const headId = async (hasTurn = false) => (await view(CALLER, BUCKET, hasTurn)).state.headId;
  return { cache, pachd, headId };
}

describe('the view that readers share', () => {
  it('is looked up once for all who ask at once, and kept', async () => {
    const { pachd, headId } = viewOver();
    expect(await Promise.all(Array.from({ length: 20 }, () => headId()))).toEqual(Array(20).fill('first'));
    pachd.headId = 'not looked at';
    expect(await headId()).toBe('first');
    expect(pachd.looks).toBe(1);
  });

  it('never shows what a writer who has judged may take back', async () => {
    const { cache, pachd, headId } = viewOver();
    const turn = await cache.takeTurn(KEY);
    await turn?.pin('judged');
    pachd.headId = 'to be taken back';
    const reading = headId();
    await expect.poll(() => pachd.looks).toBe(10);
    pachd.headId = 'put back';
    await turn?.end('written');
    expect(await reading).toBe('put back');
  });

  it('is had although others write during each look-up', async () => {
    const { cache, pachd, headId } = viewOver();
    pachd.during = () => cache.invalidate(KEY);
    expect(await headId()).toBe('first');
    expect(pachd.looks).toBe(11);
  });

  it('is had by who has the turn, without waiting for himself, and counts more than older look-ups', async () => {
    const { cache, pachd, headId } = viewOver();
    const turn = await cache.takeTurn(KEY);
    let older = await cache.read(KEY);
    pachd.during = async (look) => {
      await cache.invalidate(KEY);
      // Of the last look there is one beside it that began as late as can be.
      if (look === 11) older = await cache.read(KEY);
    };
    expect(await headId(true)).toBe('first');
    expect(pachd.looks).toBe(11);
    expect(await cache.store(KEY, older.nonce, older.nowMs, stateAt('older'))).toBe(false);
    await turn?.end('untouched');
  });

  it('is had where a look-up takes longer than its answer may be believed', async () => {
    const { pachd, headId } = viewOver(1);
    pachd.during = () => new Promise((resolve) => setTimeout(resolve, 3));
    expect(await headId()).toBe('first');
  });
});
