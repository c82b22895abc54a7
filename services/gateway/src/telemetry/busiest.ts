import type { Series } from './registry.ts';

/** So many more buckets are watched than are told of: one that comes up is known before it counts. */
const WATCHED_PER_TOLD = 8;
/** Who is asked more takes a place, by so much more: two that are alike do not take it from each other again and again. */
const OVERTAKES_BY = 1.2;

interface Watched {
  /** What it is ranked by: at least what it was asked, and more by what those had whose place it took. */
  rank: number;
  /** Since it is told of; undefined: it is not. */
  told: Told | undefined;
}

interface Told {
  requests: number;
  bytes: number;
}

/**
 * Counts requests by bucket, for the buckets that most is asked of, in bounded memory. Source: Metwally, Agrawal and El Abbadi, Efficient
 * Computation of Frequent and Top-k Elements in Data Streams, 2005 (Space-Saving): who is not watched takes the place of the least.
 * What is told of a bucket is counted from when it is told of, and until then among the others: no count goes back.
 */
export interface Busiest {
  /** @param most how many buckets to tell of; 0: nothing is counted */
  watch(most: number): void;
  note(bucket: string, bytes: number): void;
  series(what: 'requests' | 'bytes'): readonly Series[];
}

/** No bucket is called so: each name has a dot. */
const OTHERS = 'others';

export function createBusiest(): Busiest {
  const watched = new Map<string, Watched>();
  const toldOf = new Set<Watched>();
  const others: Told = { requests: 0, bytes: 0 };
  let most = 0;

  const enter = (bucket: string): Watched => {
    let rank = 0;
    if (watched.size >= most * WATCHED_PER_TOLD) {
      const [least, entry] = [...watched].reduce((found, next) => (next[1].rank < found[1].rank ? next : found));
      rank = entry.rank;
      watched.delete(least);
      toldOf.delete(entry);
    }
    const entered = { rank, told: undefined };
    watched.set(bucket, entered);
    return entered;
  };

  const tryToTell = (entry: Watched): void => {
    if (toldOf.size >= most) {
      const least = [...toldOf].reduce((found, next) => (next.rank < found.rank ? next : found));
      if (entry.rank < least.rank * OVERTAKES_BY) return;
      least.told = undefined;
      toldOf.delete(least);
    }
    entry.told = { requests: 0, bytes: 0 };
    toldOf.add(entry);
  };

  return {
    watch(count) {
      most = count;
    },
    note(bucket, bytes) {
      if (most === 0) return;
      const entry = watched.get(bucket) ?? enter(bucket);
      entry.rank += 1;
      if (entry.told === undefined) tryToTell(entry);
      const counted = entry.told ?? others;
      counted.requests += 1;
      counted.bytes += bytes;
    },
    series(what) {
      if (most === 0) return [];
      const told = [...watched].flatMap(([bucket, entry]) =>
        entry.told === undefined ? [] : [{ labels: [bucket], value: entry.told[what] }],
      );
      return [...told, { labels: [OTHERS], value: others[what] }];
    },
  };
}
