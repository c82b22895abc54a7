import { readCalls } from './files.ts';
import { metadataCalls } from './metadata.ts';
import type { Pool } from './pool.ts';
import { repoCalls } from './repos.ts';
import { writeCalls } from './writes.ts';

/** Every call to pachd that tusk makes, typed. */
export type Pachd = ReturnType<typeof createPachd>;

export function createPachd(pool: Pool) {
  return { ...repoCalls(pool), ...readCalls(pool), ...writeCalls(pool), ...metadataCalls(pool) };
}
