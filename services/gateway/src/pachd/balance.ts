/** Whom a call goes to. */

/** How long a pachd that came back takes to get its full share: its caches are cold, and it may fall again. */
export const RETURN_MS = 10_000;
/** The share that it begins with. */
const FIRST_SHARE = 0.1;

/** What there is to choose from. */
export interface Candidate {
  /** Calls under way. */
  readonly inFlight: number;
  /** Since when it serves, in the clock of performance.now(). */
  readonly servingSinceMs: number;
}

/** The part of its calls that a pachd gets that has served since then: 0.1 to 1. */
export function shareOf({ servingSinceMs }: Candidate, nowMs: number): number {
  return Math.min(1, FIRST_SHARE + ((1 - FIRST_SHARE) * (nowMs - servingSinceMs)) / RETURN_MS);
}

/**
 * The less loaded of two that are drawn at random: nearly as even as the least loaded of all, and gateways that do not know of each
 * other do not all run to the same one. One that came back takes part in the draw as often as its share says.
 * Source: Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 1996. @returns undefined when there is none
 */
export function chooseOfTwo<C extends Candidate>(
  candidates: readonly C[],
  nowMs: number,
  random: () => number = Math.random,
): C | undefined {
  const present = candidates.filter((candidate) => {
    const share = shareOf(candidate, nowMs);
    return share >= 1 || random() < share;
  });
  const drawn = present.length > 0 ? present : candidates;
  const first = Math.floor(random() * drawn.length);
  // Any but the first, each as likely.
  const second = (first + 1 + Math.floor(random() * (drawn.length - 1))) % drawn.length;
  const [one, other] = [drawn[first], drawn[second]];
  if (one === undefined || other === undefined) return one;
  return other.inFlight < one.inFlight ? other : one;
}
