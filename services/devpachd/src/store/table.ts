import type { Database, Key, RangeOptions } from 'lmdb';
import { blake2b } from '../content/hash.ts';

/** What is used of a table of LMDB. */
export interface Table<V, K> {
  readonly get: (key: K) => V | undefined;
  readonly put: (key: K, value: V) => Promise<boolean>;
  readonly remove: (key: K) => Promise<boolean>;
  readonly getRange: (options?: RangeOptions) => Iterable<{ readonly key: K; readonly value: V }>;
  readonly getKeys: (options?: RangeOptions) => Iterable<K>;
  readonly getKeysCount: (options?: RangeOptions) => number;
}

/** LMDB bounds its keys, and clients ask for names of any length: a longer one stands in keys by its beginning and its hash. */
const PLAIN_MAX_BYTES = 600;
const BEGINNING_CHARS = 64;

function shortName(name: string): string {
  if (name.length * 3 <= PLAIN_MAX_BYTES || Buffer.byteLength(name) <= PLAIN_MAX_BYTES) return name;
  return `${name.slice(0, BEGINNING_CHARS)}...${blake2b(Buffer.from(name)).toString('hex')}`;
}

/** The key with all names in it short enough for LMDB. */
export function shortKey<K>(key: K): K {
  if (typeof key === 'string') return shortName(key) as K;
  if (!Array.isArray(key)) return key;
  return key.map((part: unknown) => (typeof part === 'string' ? shortName(part) : part)) as K;
}

/** A table of which the keys hold names. */
export function namedTable<V, K extends Key>(table: Database<V, K>): Table<V, K> {
  return {
    get: (key) => table.get(shortKey(key)),
    put: (key, value) => table.put(shortKey(key), value),
    remove: (key) => table.remove(shortKey(key)),
    getRange: (options) => table.getRange(options),
    getKeys: (options) => table.getKeys(options),
    getKeysCount: (options) => table.getKeysCount(options),
  };
}
