import pLimit from 'p-limit';
import type { Pachd } from '../pachd/client.ts';
import { type Caller, detached } from '../pachd/model.ts';

const CALLS_AT_ONCE = 2;
/** Past it, what is to be dropped is left to its own end. */
const QUEUE_MAX = 40_000;
/** The shortest that pachd takes. */
const LAST_SECONDS = 1;

export type Disposal = ReturnType<typeof createDisposal>;

/** Ends file sets before their time: pachd has no call for it, but it lets their life be shortened. */
export function createDisposal(pachd: Pachd) {
  const inTurn = pLimit(CALLS_AT_ONCE);
  return {
    /** Does it in the background. A set that others are composed of stays as long as those. */
    drop(caller: Caller, fileSetIds: readonly string[]): void {
      const lasting = detached(caller);
      for (const fileSetId of fileSetIds.slice(0, Math.max(0, QUEUE_MAX - inTurn.pendingCount))) {
        // Whatever went wrong, the set goes when its time comes.
        inTurn(() => pachd.renewFileSet(lasting, fileSetId, LAST_SECONDS)).catch(() => {});
      }
    },
  };
}
