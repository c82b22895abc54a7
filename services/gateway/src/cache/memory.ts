import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { countCache } from '../telemetry/metrics.ts';
import type { BranchCache, CachedState, Turn } from './shared.ts';

const BRANCHES_MAX = 10_000;
/** Deltas of one branch that are kept; more commits than that are never unfinished at once. */
const DELTAS_MAX = 64;

interface Entry<State, Delta> {
  nonce: number;
  state: State | undefined;
  expiresMs: number;
  deltas: ReadonlyMap<string, Delta>;
  /** The only head that a stored state may have, while a turn has it pinned. */
  pinnedHeadId: string | undefined;
  /** Ends when the turn that was taken last ends. */
  turn: Promise<void>;
}

/** The branch cache of a single worker. It is never lost. @param ttlMs how long a state may be believed; 0: never kept */
export function createMemoryBranchCache<State extends CachedState, Delta>(ttlMs: number): BranchCache<State, Delta> {
  const count = countCache('branch');
  // A nonce is never used twice, also not after an entry was evicted and made anew, so that an old store cannot fit.
  let nonces = 0;
  const entries = new LRUCache<string, Entry<State, Delta>>({ max: BRANCHES_MAX });
  /** Branches with a writer are never evicted: the turn would be lost with the entry. */
  const written = new Map<string, { readonly entry: Entry<State, Delta>; turns: number }>();

  const entryOf = (branch: string): Entry<State, Delta> => {
    let entry = written.get(branch)?.entry ?? entries.get(branch);
    if (entry === undefined) {
      nonces += 1;
      const turn = Promise.resolve();
      entry = { nonce: nonces, state: undefined, expiresMs: 0, deltas: new Map(), pinnedHeadId: undefined, turn };
      entries.set(branch, entry);
    }
    return entry;
  };

  const renew = (entry: Entry<State, Delta>): void => {
    nonces += 1;
    entry.nonce = nonces;
  };

  const forget = (entry: Entry<State, Delta>): void => {
    renew(entry);
    entry.state = undefined;
    entry.expiresMs = 0;
  };

  /** The state that may still be believed, if the deltas of its pending commits are there. */
  const wholeState = ({ state, deltas, expiresMs }: Entry<State, Delta>, nowMs: number): State | undefined =>
    expiresMs > nowMs && state?.pending.every((commitId) => deltas.has(commitId)) ? state : undefined;

  return {
    async read(branch) {
      const entry = entryOf(branch);
      const nowMs = performance.now();
      const state = wholeState(entry, nowMs);
      return { nonce: String(entry.nonce), nowMs, state, deltas: entry.deltas, looking: false };
    },

    atHand(branch) {
      const entry = entryOf(branch);
      const state = wholeState(entry, performance.now());
      return state && { state, deltas: entry.deltas };
    },

    async pending(branch) {
      return entryOf(branch).state?.pending ?? [];
    },

    async delta(branch, commitId) {
      return entryOf(branch).deltas.get(commitId);
    },

    async store(branch, nonce, readAtMs, state) {
      const entry = entryOf(branch);
      if (state === undefined) return false;
      if (String(entry.nonce) !== nonce || (entry.pinnedHeadId ?? state.headId) !== state.headId) {
        count.refused();
        return false;
      }
      renew(entry);
      entry.state = state;
      entry.expiresMs = readAtMs + ttlMs;
      return entry.expiresMs > performance.now();
    },

    async invalidate(branch) {
      forget(entryOf(branch));
    },

    async takeTurn(branch): Promise<Turn<Delta>> {
      const entry = entryOf(branch);
      const holders = written.get(branch) ?? { entry, turns: 0 };
      holders.turns += 1;
      written.set(branch, holders);
      const before = entry.turn;
      let free = () => {};
      entry.turn = new Promise((resolve) => {
        free = resolve;
      });
      await before;

      const leave = (): void => {
        entry.pinnedHeadId = undefined;
        holders.turns -= 1;
        if (holders.turns === 0) {
          written.delete(branch);
          entries.set(branch, entry);
        }
        free();
      };

      return {
        holds: () => true,
        async pin(headId) {
          entry.pinnedHeadId = headId;
          return true;
        },
        // There is no other writer.
        mark: async (_commitId, writer) => writer,
        async publish(parentId, commitId, delta) {
          entry.deltas = new Map([...entry.deltas, [commitId, delta] as const].slice(-DELTAS_MAX));
          const { state } = entry;
          if (state?.headId === parentId) {
            renew(entry);
            entry.state = { ...state, headId: commitId, pending: [...state.pending, commitId] };
          } else {
            forget(entry);
          }
          leave();
        },
        async end(what) {
          if (what === 'written') forget(entry);
          leave();
        },
      };
    },
  };
}
