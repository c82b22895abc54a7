import type { Facts } from '../../cache/facts.ts';
import { createFairCache } from '../../cache/fair.ts';
import type { RepoRef } from '../../pachd/model.ts';
import { countCache } from '../../telemetry/metrics.ts';

/** How long the fleet keeps a content. */
const SHARED_MS = 600_000;

/**
 * Contents by repo and hash: the hash follows from the content alone, so what is kept stays right in every later commit. The caller's
 * permission on the repo is checked before any of this is called.
 */
export interface Contents {
  /** From memory, else from the fleet. @param part of a larger content: which */
  get(repo: RepoRef, hash: Uint8Array, sizeBytes: number, part?: string): Promise<Uint8Array | undefined>;
  /** From memory. */
  atHand(repo: RepoRef, hash: Uint8Array): Uint8Array | undefined;
  keep(repo: RepoRef, hash: Uint8Array, content: Uint8Array, part?: string): void;
}

/**
 * @param shared what the fleet knows
 * @param maxBytes how much is kept in memory, fairly between repos; 0: none, and none is shared
 */
export function createContents(shared: Facts<Uint8Array>, maxBytes: number): Contents {
  if (maxBytes === 0) {
    return { get: () => Promise.resolve(undefined), atHand: () => undefined, keep: () => {} };
  }
  const own = createFairCache(maxBytes);
  const count = countCache('content');
  return {
    async get(repo, hash, sizeBytes, part = '') {
      const [group, key] = [groupOf(repo), keyOf(hash, part)];
      const held = own.get(group, key);
      count.asked(held !== undefined);
      if (held !== undefined) return held;
      const { value } = (await shared.get(`${group} ${key}`)) ?? {};
      if (value?.length !== sizeBytes) return undefined;
      own.set(group, key, value);
      return value;
    },
    atHand(repo, hash) {
      const held = own.get(groupOf(repo), keyOf(hash, ''));
      // Of what is not at hand, who goes on to get it gives account.
      if (held !== undefined) count.asked(true);
      return held;
    },
    keep(repo, hash, content, part = '') {
      const [group, key] = [groupOf(repo), keyOf(hash, part)];
      if (own.get(group, key) !== undefined) return;
      own.set(group, key, content);
      shared.note(`${group} ${key}`, content, SHARED_MS);
    },
  };
}

function groupOf({ project, repo }: RepoRef): string {
  return `${project}/${repo}`;
}

function keyOf(hash: Uint8Array, part: string): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1') + part;
}
