/** What a writer knows of the things that it wrote: each is there, is gone, or is being changed without an answer. */
export interface Ledger<T> {
  /** Runs a change of one thing; until it is answered, nobody knows whether it took place. */
  readonly change: (key: string, value: T, to: 'there' | 'gone', work: () => Promise<unknown>) => Promise<void>;
  /** Holds all things against what is found. `look` says whether a thing is there as a whole, and throws for a half of one. */
  readonly check: (look: (key: string, value: T) => boolean | Promise<boolean>) => Promise<void>;
  readonly there: () => ReadonlyMap<string, T>;
}

type State = 'there' | 'gone' | 'unknown';

export function createLedger<T>(): Ledger<T> {
  const things = new Map<string, { readonly value: T; readonly state: State }>();
  return {
    change: async (key, value, to, work) => {
      things.set(key, { value, state: 'unknown' });
      await work();
      things.set(key, { value, state: to });
    },
    check: async (look) => {
      for (const [key, { value, state }] of things) {
        const found = (await look(key, value)) ? 'there' : 'gone';
        if (state !== 'unknown' && state !== found) throw new Error(`${key} was said to be ${state} and is ${found}`);
        // What has been seen once stays so.
        things.set(key, { value, state: found });
      }
    },
    there: () => new Map([...things].flatMap(([key, { value, state }]) => (state === 'there' ? [[key, value]] : []))),
  };
}
