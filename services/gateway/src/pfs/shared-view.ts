import { setTimeout } from 'node:timers/promises';
import { createFlights } from '../cache/flight.ts';
import type { BranchCache, BranchRead } from '../cache/shared.ts';
import { isPachdError } from '../pachd/errors.ts';
import { type Caller, detached } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import { Failure } from './failure.ts';
import type { Delta } from './overlay.ts';
import type { BranchState, Resolved } from './resolve.ts';

/** How many look-ups of a reader may be refused, since writers keep changing the branch, before it takes their turn to look. */
const REFUSALS_MAX = 10;
const READ_AGAIN_MS = 5;
/** For how long a reader tries at all. */
const WAIT_MAX_MS = 30_000;

/** Asks pachd what a branch is now. */
export type LookUp = (caller: Caller, bucket: BucketRef) => Promise<Resolved>;

/** Gives the state of a branch that every later reader sees at least. @param hasTurn whether it is for who has the writers' turn */
export type SharedView = (caller: Caller, bucket: BucketRef, hasTurn: boolean) => Promise<Resolved>;

/** When the cache was asked, and what a store must still find there. */
type Asked = Pick<BranchRead<BranchState, Delta>, 'nonce' | 'nowMs'>;

/** What the shared cache knows of branches, looked up where it knows nothing. Its views throw CacheLost, PachdError and Failure busy. */
export function createSharedView(cache: BranchCache<BranchState, Delta>, lookUp: LookUp): SharedView {
  const count = countCache('branch');
  // Whoever began a look-up may have fewer permissions than another who waits for it, and then looks himself.
  const isOwn = (error: unknown): boolean => isPachdError(error, 'denied');
  const looking = createFlights<boolean>(isOwn);
  const turning = createFlights<void>(isOwn);

  return async (caller, bucket, hasTurn) => {
    const key = bucketName(bucket);
    const endMs = performance.now() + WAIT_MAX_MS;
    for (let refusals = 0, first = true; performance.now() < endMs; first = false) {
      const read = await cache.read(key);
      count.asked(read.state !== undefined);
      if (read.state !== undefined) return { state: read.state, deltas: read.deltas };
      // A writer holds the turn, or another looks or was quicker: what it leaves is soon there to be read.
      if (!first || read.looking) await setTimeout(READ_AGAIN_MS);
      if (read.looking) continue;
      // A flight may have begun before a write that this request must see: what it found counts only as far as it is stored.
      if (refusals < REFUSALS_MAX) {
        if (!(await looking(key, () => lookAndStore(detached(caller), bucket, read)))) refusals += 1;
        continue;
      }
      if (hasTurn) return lookUndisturbed(caller, bucket);
      let own: Resolved | undefined;
      await turning(key, async () => {
        own = await lookInTurn(detached(caller), bucket);
      });
      if (own !== undefined) return own;
    }
    throw new Failure('busy', 'the branch keeps changing');
  };

  async function lookAndStore(caller: Caller, bucket: BucketRef, { nonce, nowMs }: Asked): Promise<boolean> {
    let found: BranchState | undefined;
    let stored = false;
    try {
      found = (await lookUp(caller, bucket)).state;
    } finally {
      // Also when it came to nothing: then others may look.
      stored = await cache.store(bucketName(bucket), nonce, nowMs, found);
    }
    return stored;
  }

  /** Takes the turn, so that what a writer may take back once more is not there to be seen. */
  async function lookInTurn(caller: Caller, bucket: BucketRef): Promise<Resolved> {
    const turn = await cache.takeTurn(bucketName(bucket));
    if (turn === undefined) throw new Failure('busy', 'others write to the branch without a pause');
    try {
      const resolved = await lookUndisturbed(caller, bucket);
      if (!turn.holds()) throw new Failure('busy', 'the look-up took longer than the turn that it had');
      return resolved;
    } finally {
      await turn.end('untouched');
    }
  }

  /** A look while nobody else writes. What it saw, every later reader must see at least: older look-ups do not count any more. */
  async function lookUndisturbed(caller: Caller, bucket: BucketRef): Promise<Resolved> {
    const key = bucketName(bucket);
    const { nonce, nowMs } = await cache.read(key);
    const resolved = await lookUp(caller, bucket);
    if (!(await cache.store(key, nonce, nowMs, resolved.state))) await cache.invalidate(key);
    return resolved;
  }
}
