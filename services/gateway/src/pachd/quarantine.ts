import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Call } from './attempt.ts';

/** How long a call that two pachds died of is not sent, and how long a first death is remembered. */
const QUARANTINE_MS = 60_000;
/** Calls that are remembered at once; each takes about 100 bytes. */
const CALLS_MAX = 10_000;
/** So many pachds may die under a call before it goes to no other. */
const DEATHS_MAX = 2;

/**
 * Calls that pachds died of. It is asked before each call, so it answers from memory; one of a fleet may tell others of a death and
 * hear of theirs. What a call is about may name file sets, whose ids are capabilities: only digests of it are kept.
 */
export interface Quarantine {
  /** Two pachds died under it: it must not be sent. */
  isHeld(call: Call): boolean;
  /** One pachd died under it: the next must be known to live before it is sent, or its end will be laid to this call. */
  isSuspect(call: Call): boolean;
  /**
   * A pachd's connection broke under it, and could not be made again at once. @param wasSuspect what `isSuspect` said when it was sent: of those that are under way when
   * pachds die together, at one pachd or at several, none is sent to a death that was to be foreseen
   */
  died(call: Call, wasSuspect: boolean): void;
  /** A pachd answered it: it is nobody's death. */
  survived(call: Call): void;
}

export function createQuarantine(clock?: { now(): number }): Quarantine {
  const deaths = new LRUCache<string, number>({
    max: CALLS_MAX,
    ttl: QUARANTINE_MS,
    ...(clock === undefined ? {} : { perf: clock, ttlResolution: 0 }),
  });
  const deathsOf = (call: Call): number =>
    // Most of the time nothing died, and nothing needs to be digested.
    deaths.size === 0 || call.about === undefined ? 0 : (deaths.get(keyOf(call)) ?? 0);

  return {
    isHeld: (call) => deathsOf(call) >= DEATHS_MAX,
    isSuspect: (call) => deathsOf(call) > 0,
    died(call, wasSuspect) {
      if (call.about === undefined) return;
      deaths.set(keyOf(call), wasSuspect ? deathsOf(call) + 1 : Math.max(1, deathsOf(call)));
    },
    survived(call) {
      if (deathsOf(call) > 0) deaths.delete(keyOf(call));
    },
  };
}

function keyOf({ name, about = '' }: Call): string {
  return createHash('sha256').update(`${name} ${about}`).digest('base64url');
}
