import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import type { BranchCache } from './shared.ts';

const BRANCHES_MAX = 10_000;

interface Entry<State> {
  nonce: number;
  state: State | undefined;
  expiresMs: number;
}

/** The branch cache of a single worker. @param ttlMs how long a state may be believed; 0: never kept */
export function createMemoryBranchCache<State>(ttlMs: number): BranchCache<State> {
  // A nonce is never used twice, also not after an entry was evicted and made anew, so that an old store cannot fit.
  let nonces = 0;
  const entries = new LRUCache<string, Entry<State>>({ max: BRANCHES_MAX });

  const entryOf = (branch: string): Entry<State> => {
    let entry = entries.get(branch);
    if (entry === undefined) {
      nonces += 1;
      entry = { nonce: nonces, state: undefined, expiresMs: 0 };
      entries.set(branch, entry);
    }
    return entry;
  };

  return {
    read(branch) {
      const entry = entryOf(branch);
      const nowMs = performance.now();
      const state = entry.expiresMs > nowMs ? entry.state : undefined;
      return Promise.resolve({ nonce: String(entry.nonce), nowMs, state });
    },
    store(branch, nonce, readAtMs, state) {
      const entry = entryOf(branch);
      if (String(entry.nonce) === nonce) {
        nonces += 1;
        entry.nonce = nonces;
        entry.state = state;
        entry.expiresMs = readAtMs + ttlMs;
      }
      return Promise.resolve();
    },
    invalidate(branch) {
      const entry = entryOf(branch);
      nonces += 1;
      entry.nonce = nonces;
      entry.state = undefined;
      entry.expiresMs = 0;
      return Promise.resolve();
    },
  };
}
