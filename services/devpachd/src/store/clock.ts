import type { Db } from './db.ts';
import { dueByClock, tickBranch } from './triggers.ts';

const PERIOD_MS = 500;

/** Moves the branches that follow others by a clock. Several processes may do so: a tick is taken in one transaction, by one of them. */
export function startClock(db: Db, onError: (error: unknown) => void): { readonly close: () => Promise<void> } {
  let running: Promise<unknown> | undefined;
  const tick = async () => {
    const now = Date.now();
    for (const branch of dueByClock(db, now)) await db.write(() => tickBranch(db, branch, now));
  };
  const timer = setInterval(() => {
    running ??= tick()
      .catch(onError)
      .finally(() => {
        running = undefined;
      });
  }, PERIOD_MS);
  return {
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
