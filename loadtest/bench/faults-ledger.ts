/** What the clients of one bucket were told. Each key has one writer at most at a time, so what a read may show is known exactly. */
export interface Ledger {
  /** A write of the key begins. @returns its version: 1, 2, … */
  writing(key: string): number;
  /** It was answered, and every later read has to show it or what came after. */
  acknowledged(key: string, version: number): void;
  /**
   * A read of the key begins. @returns what is to be told the version that it shows (0: there is none), and says whether a
   * read may show it.
   */
  reading(key: string): (version: number) => Verdict;
}

/**
 * 'stale': older than what was acknowledged, or shown to somebody, before the read began. 'unwritten': of a write that had not
 * begun when the read was answered.
 */
export type Verdict = 'fresh' | 'stale' | 'unwritten';

interface Entry {
  begun: number;
  /** The least that a read which begins now may show. */
  least: number;
}

export function createLedger(): Ledger {
  const entries = new Map<string, Entry>();
  const entryOf = (key: string): Entry => {
    const entry = entries.get(key) ?? { begun: 0, least: 0 };
    entries.set(key, entry);
    return entry;
  };
  const raise = (entry: Entry, version: number): void => {
    entry.least = Math.max(entry.least, version);
  };

  return {
    writing(key) {
      const entry = entryOf(key);
      entry.begun += 1;
      return entry.begun;
    },
    acknowledged: (key, version) => raise(entryOf(key), version),
    reading(key) {
      const entry = entryOf(key);
      const { least } = entry;
      return (version) => {
        if (version > entry.begun) return 'unwritten';
        if (version < least) return 'stale';
        raise(entry, version);
        return 'fresh';
      };
    },
  };
}
