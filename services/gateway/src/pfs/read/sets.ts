import { LRUCache } from 'lru-cache';
import type { Facts } from '../../cache/facts.ts';
import { createFlights } from '../../cache/flight.ts';
import type { Pachd } from '../../pachd/client.ts';
import { isOfCaller, isPachdError } from '../../pachd/errors.ts';
import { type Caller, type CommitRef, commitKey, detached, type FileSource } from '../../pachd/model.ts';

/** pachd gives a set for ten minutes; so long of them it is used. */
const GIVEN_MS = 540_000;
/** One in use that has less left is renewed, for as long as pachd lets it be. */
const RENEWED_BELOW_MS = 300_000;
const RENEWED_SECONDS = 1_800;
const RENEWED_MS = 1_740_000;
const SETS_MAX = 10_000;
/** Whether pachd answers for sets what it answers for commits is found out again after so long: auth may have been switched. */
const REFUSED_MS = 60_000;

/**
 * The TOTAL file sets of finished commits. Of a commit pachd makes a new handle for each call, in a serializable transaction; of a set it
 * makes nothing, so it answers sooner and several at once. pachd asks nobody who reads a set for a permission: the caller's permission on
 * the repo is checked before any of this is called. A set's id is a capability, and stays in the fleet.
 */
export interface Sets {
  /** Reads content by the set of a finished commit; once more by a new one, if pachd has thrown it away. @throws PachdError */
  content<T>(caller: Caller, commit: CommitRef, read: (source: FileSource) => Promise<T>): Promise<T>;
  /** The same for properties and lists: with auth on pachd gives those of a commit only, and then they are read from that. */
  properties<T>(caller: Caller, commit: CommitRef, read: (source: FileSource) => Promise<T>): Promise<T>;
  /** Gets the set of a commit that is likely to be read soon, without waiting. */
  prepare(caller: Caller, commit: CommitRef): void;
}

interface Held {
  readonly fileSetId: string;
  /** Until when it certainly is there; of performance.now(). */
  readonly untilMs: number;
}

/** @param shared what the fleet knows already, by commit */
export function createSets(pachd: Pachd, shared: Facts<string>): Sets {
  const sets = new LRUCache<string, Held>({ max: SETS_MAX });
  const getting = createFlights<Held>(isOfCaller);
  const renewing = new Set<string>();
  let refusedUntilMs = Number.NEGATIVE_INFINITY;

  const get = async (caller: Caller, commit: CommitRef, gone: string | undefined): Promise<Held> => {
    const key = commitKey(commit);
    const { value, leftMs } = await shared.find(
      key,
      async () => ({ value: await pachd.snapshot(detached(caller), commit), forMs: GIVEN_MS }),
      (fileSetId) => fileSetId !== gone,
    );
    const held = { fileSetId: value, untilMs: performance.now() + leftMs };
    sets.set(key, held);
    return held;
  };

  /** Beside who reads. What cannot be renewed is got anew when it has gone. */
  const renew = async (caller: Caller, key: string, fileSetId: string): Promise<void> => {
    if (renewing.has(key)) return;
    renewing.add(key);
    const askedMs = performance.now();
    try {
      await pachd.renewFileSet(detached(caller), fileSetId, RENEWED_SECONDS);
      sets.set(key, { fileSetId, untilMs: askedMs + RENEWED_MS });
      shared.note(key, fileSetId, RENEWED_MS);
    } catch {
      sets.delete(key);
    } finally {
      renewing.delete(key);
    }
  };

  const setOf = async (caller: Caller, commit: CommitRef, gone: string | undefined): Promise<string> => {
    const key = commitKey(commit);
    const held = sets.get(key);
    const leftMs = held === undefined ? 0 : held.untilMs - performance.now();
    if (held === undefined || leftMs <= 0 || held.fileSetId === gone) {
      return (await getting(key, () => get(caller, commit, gone))).fileSetId;
    }
    if (leftMs < RENEWED_BELOW_MS) void renew(caller, key, held.fileSetId);
    return held.fileSetId;
  };

  const content: Sets['content'] = async (caller, commit, read) => {
    const fileSetId = await setOf(caller, commit, undefined);
    try {
      return await read({ fileSetId });
    } catch (error) {
      if (!isPachdError(error, 'file-set-gone')) throw error;
    }
    return read({ fileSetId: await setOf(caller, commit, fileSetId) });
  };

  return {
    content,
    // Who reads tries again.
    prepare: (caller, commit) => void setOf(caller, commit, undefined).catch(() => {}),
    async properties(caller, commit, read) {
      if (performance.now() < refusedUntilMs) return read(commit);
      try {
        return await content(caller, commit, read);
      } catch (error) {
        // The repo of the sets is one that nobody has a role in.
        if (!isPachdError(error, 'denied', 'repo-not-found')) throw error;
        refusedUntilMs = performance.now() + REFUSED_MS;
      }
      return read(commit);
    },
  };
}
