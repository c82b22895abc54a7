import { LRUCache } from 'lru-cache';

/** What a value costs beside its bytes and its key. */
const VALUE_BYTES = 100;

/**
 * A cache of bytes that groups share fairly: what was used least lately goes, out of the group that has the most. So who reads much of one
 * group does not push out what others read of theirs, and who is alone has all of it.
 */
export interface FairCache {
  get(group: string, key: string): Uint8Array | undefined;
  set(group: string, key: string, value: Uint8Array): void;
  /** Bytes that are held, keys included. */
  sizeBytes(): number;
}

/** @param maxBytes of all groups together */
export function createFairCache(maxBytes: number): FairCache {
  const groups = new Map<string, LRUCache<string, Uint8Array>>();
  let held = 0;

  const largest = (): readonly [string, LRUCache<string, Uint8Array>] | undefined => {
    let found: readonly [string, LRUCache<string, Uint8Array>] | undefined;
    for (const entry of groups)
      if (found === undefined || entry[1].calculatedSize > found[1].calculatedSize) found = entry;
    return found;
  };

  const change = (group: LRUCache<string, Uint8Array>, by: () => void): void => {
    const before = group.calculatedSize;
    by();
    held += group.calculatedSize - before;
  };

  return {
    get: (group, key) => groups.get(group)?.get(key),
    set(group, key, value) {
      let own = groups.get(group);
      if (own === undefined) {
        own = new LRUCache({
          maxSize: maxBytes,
          sizeCalculation: (bytes, name) => bytes.length + name.length + VALUE_BYTES,
        });
        groups.set(group, own);
      }
      const cache = own;
      change(cache, () => void cache.set(key, value));
      while (held > maxBytes) {
        const [name, most] = largest() ?? [];
        if (name === undefined || most === undefined) break;
        change(most, () => void most.pop());
        if (most.size === 0) groups.delete(name);
      }
      if (cache.size === 0) groups.delete(group);
    },
    sizeBytes: () => held,
  };
}
