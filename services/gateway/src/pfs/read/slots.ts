import { Failure } from '../failure.ts';

/** Reads of pachd that a worker has under way at once. pachd does no more in a second if it gets more at once. */
const SLOTS_MAX = 64;
/** Reads of one repo that may wait. */
const WAITING_MAX = 4_096;

/**
 * Who may ask pachd for a content next: repos take turns, so that many readers of one do not hold up the few of another.
 */
export interface Slots {
  /** Waits for a slot, and runs with it. @throws Failure busy when too many wait already, and what `read` throws */
  with<T>(repoKey: string, read: () => Promise<T>): Promise<T>;
}

export function createSlots(slotsMax = SLOTS_MAX, waitingMax = WAITING_MAX): Slots {
  /** A map keeps its order: the repo that had its turn goes to the end. */
  const waiting = new Map<string, (() => void)[]>();
  let taken = 0;

  const take = (repoKey: string): Promise<void> | undefined => {
    if (taken < slotsMax) {
      taken += 1;
      return undefined;
    }
    const queue = waiting.get(repoKey) ?? [];
    if (queue.length >= waitingMax) throw new Failure('busy', 'too many reads of the repo wait');
    waiting.set(repoKey, queue);
    return new Promise((resolve) => queue.push(resolve));
  };

  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      taken -= 1;
      return;
    }
    const [repoKey, queue] = next;
    const go = queue.shift();
    waiting.delete(repoKey);
    if (queue.length > 0) waiting.set(repoKey, queue);
    go?.();
  };

  return {
    async with(repoKey, read) {
      await take(repoKey);
      try {
        return await read();
      } finally {
        release();
      }
    },
  };
}
