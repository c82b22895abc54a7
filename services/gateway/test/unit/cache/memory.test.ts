import { describe, expect, it } from 'vitest';
import { createMemoryBranchCache } from '../../../src/cache/memory.ts';

const HOUR_MS = 3_600_000;

describe('the branch cache', () => {
  it('gives what was stored after a read', async () => {
    const cache = createMemoryBranchCache<string>(HOUR_MS);
    const { nonce, nowMs, state } = await cache.read('b');
    expect(state).toBeUndefined();
    await cache.store('b', nonce, nowMs, 'one');
    expect((await cache.read('b')).state).toBe('one');
    expect((await cache.read('other')).state).toBeUndefined();
  });

  it('refuses what was looked up before an invalidation', async () => {
    const cache = createMemoryBranchCache<string>(HOUR_MS);
    const before = await cache.read('b');
    await cache.invalidate('b');
    await cache.store('b', before.nonce, before.nowMs, 'stale');
    expect((await cache.read('b')).state).toBeUndefined();
  });

  it('refuses the slower of two look-ups', async () => {
    const cache = createMemoryBranchCache<string>(HOUR_MS);
    const slow = await cache.read('b');
    const quick = await cache.read('b');
    await cache.store('b', quick.nonce, quick.nowMs, 'quick');
    await cache.store('b', slow.nonce, slow.nowMs, 'slow');
    expect((await cache.read('b')).state).toBe('quick');
  });

  it('refuses an old look-up also after the branch was evicted by others', async () => {
    const cache = createMemoryBranchCache<string>(HOUR_MS);
    const before = await cache.read('b');
    for (let other = 0; other < 10_001; other++) await cache.read(`other ${other}`);
    await cache.store('b', before.nonce, before.nowMs, 'stale');
    expect((await cache.read('b')).state).toBeUndefined();
  });

  it('counts the time to live from the read, and forgets at its end', async () => {
    const cache = createMemoryBranchCache<string>(1_000);
    const { nonce, nowMs } = await cache.read('b');
    await cache.store('b', nonce, nowMs - 1_001, 'old');
    expect((await cache.read('b')).state).toBeUndefined();
  });
});
