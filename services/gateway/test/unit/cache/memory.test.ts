import { describe, expect, it } from 'vitest';
import { createMemoryBranchCache } from '../../../src/cache/memory.ts';
import { describeBranchCache, finished, HOUR_MS } from './branch-cache.ts';

describe('the branch cache in memory', () => {
  describeBranchCache(createMemoryBranchCache);

  it('refuses an old look-up also after the branch was evicted by others', async () => {
    const cache = createMemoryBranchCache<ReturnType<typeof finished>, string>(HOUR_MS);
    const before = await cache.read('b');
    for (let other = 0; other < 10_001; other++) await cache.read(`other ${other}`);
    await cache.store('b', before.nonce, before.nowMs, finished('stale'));
    expect((await cache.read('b')).state).toBeUndefined();
  });
});
