import type { Db } from './db.ts';
import { refused } from './errors.ts';

export type MetadataMap = Readonly<Record<string, string>>;

/** One change of a map of strings. */
export type MetadataOp =
  | { readonly kind: 'replace'; readonly map: MetadataMap }
  | { readonly kind: 'add'; readonly key: string; readonly value: string }
  | { readonly kind: 'edit'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string };

export function applyOp(map: MetadataMap, op: MetadataOp): MetadataMap {
  switch (op.kind) {
    case 'replace':
      return op.map;
    case 'add':
      if (Object.hasOwn(map, op.key)) {
        throw refused(`add_key target key "${op.key}" already exists; use edit_key instead`);
      }
      return { ...map, [op.key]: op.value };
    case 'edit':
      return { ...map, [op.key]: op.value };
    case 'delete': {
      const { [op.key]: _, ...rest } = map;
      return rest;
    }
  }
}

const CLUSTER_KEY = 'clusterMetadata';

export function readClusterMetadata(db: Db): MetadataMap {
  const text = db.meta.get(CLUSTER_KEY);
  return typeof text === 'string' ? JSON.parse(text) : {};
}

/** Only inside a transaction. */
export function writeClusterMetadata(db: Db, map: MetadataMap): void {
  db.meta.put(CLUSTER_KEY, JSON.stringify(map));
}
