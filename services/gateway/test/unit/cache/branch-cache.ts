import { describe, expect, it } from 'vitest';
import type { BranchCache } from '../../../src/cache/shared.ts';

export const HOUR_MS = 3_600_000;

interface State {
  readonly headId: string;
  readonly pending: readonly string[];
}

type Cache = BranchCache<State, string>;

export const finished = (headId: string): State => ({ headId, pending: [] });

/** What every branch cache does, wherever it keeps what it knows. @param newCache gives an empty one */
export function describeBranchCache(newCache: (ttlMs: number) => Cache | Promise<Cache>): void {
  describe('a branch', () => {
    it('gives what was stored after a read', async () => {
      const cache = await newCache(HOUR_MS);
      const { nonce, nowMs, state } = await cache.read('b');
      expect(state).toBeUndefined();
      expect(await cache.store('b', nonce, nowMs, finished('one'))).toBe(true);
      expect((await cache.read('b')).state).toEqual(finished('one'));
      expect((await cache.read('other')).state).toBeUndefined();
    });

    it('refuses what was looked up before an invalidation', async () => {
      const cache = await newCache(HOUR_MS);
      const before = await cache.read('b');
      await cache.invalidate('b');
      expect(await cache.store('b', before.nonce, before.nowMs, finished('stale'))).toBe(false);
      expect((await cache.read('b')).state).toBeUndefined();
    });

    it('refuses the slower of two look-ups', async () => {
      const cache = await newCache(HOUR_MS);
      const slow = await cache.read('b');
      const quick = await cache.read('b');
      await cache.store('b', quick.nonce, quick.nowMs, finished('quick'));
      expect(await cache.store('b', slow.nonce, slow.nowMs, finished('slow'))).toBe(false);
      expect((await cache.read('b')).state?.headId).toBe('quick');
    });

    it('counts the time to live from the read, and forgets at its end', async () => {
      const cache = await newCache(1_000);
      const { nonce, nowMs } = await cache.read('b');
      expect(await cache.store('b', nonce, nowMs - 1_001, finished('old'))).toBe(false);
      expect((await cache.read('b')).state).toBeUndefined();
    });
  });

  describe("a writer's turn", () => {
    it('is given to one at a time, in the order asked for', async () => {
      const cache = await newCache(HOUR_MS);
      const order: string[] = [];
      const write = async (name: string) => {
        const turn = await cache.takeTurn('b');
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
        await turn?.end('untouched');
      };
      await Promise.all([write('one'), write('two'), write('three')]);
      expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends', 'three begins', 'three ends']);
    });

    it('lets readers go on from its commit when it stands on the head that they know', async () => {
      const cache = await newCache(HOUR_MS);
      const { nonce, nowMs } = await cache.read('b');
      await cache.store('b', nonce, nowMs, finished('head'));
      const turn = await cache.takeTurn('b');
      await turn?.publish('head', 'next', 'delta of next');
      const { state, deltas } = await cache.read('b');
      expect(state).toEqual({ headId: 'next', pending: ['next'] });
      expect(deltas.get('next')).toBe('delta of next');
      expect(await cache.pending('b')).toEqual(['next']);
    });

    it('makes readers look again when its commit stands on another head', async () => {
      const cache = await newCache(HOUR_MS);
      const { nonce, nowMs } = await cache.read('b');
      await cache.store('b', nonce, nowMs, finished('somebody else'));
      const turn = await cache.takeTurn('b');
      await turn?.publish('head', 'next', 'delta of next');
      expect((await cache.read('b')).state).toBeUndefined();
      expect(await cache.delta('b', 'next')).toBe('delta of next');
    });

    it('refuses states with another head while one is pinned, and no longer', async () => {
      const cache = await newCache(HOUR_MS);
      const turn = await cache.takeTurn('b');
      expect(await turn?.pin('head')).toBe(true);
      const read = await cache.read('b');
      expect(await cache.store('b', read.nonce, read.nowMs, finished('other'))).toBe(false);
      expect((await cache.read('b')).state).toBeUndefined();
      await cache.store('b', read.nonce, read.nowMs, finished('head'));
      expect((await cache.read('b')).state?.headId).toBe('head');
      await turn?.end('written');
      const again = await cache.read('b');
      await cache.store('b', again.nonce, again.nowMs, finished('other'));
      expect((await cache.read('b')).state?.headId).toBe('other');
    });

    it('refuses a look-up that began before it published', async () => {
      const cache = await newCache(HOUR_MS);
      const before = await cache.read('b');
      const turn = await cache.takeTurn('b');
      await turn?.publish('head', 'next', 'delta');
      await cache.store('b', before.nonce, before.nowMs, finished('head'));
      expect((await cache.read('b')).state).toBeUndefined();
    });

    it('gives no state whose delta is not there', async () => {
      const cache = await newCache(HOUR_MS);
      const { nonce, nowMs } = await cache.read('b');
      await cache.store('b', nonce, nowMs, { headId: 'two', pending: ['one', 'two'] });
      expect((await cache.read('b')).state).toBeUndefined();
    });
  });
}
