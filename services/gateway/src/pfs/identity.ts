import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createFlights } from '../cache/flight.ts';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import { type Caller, detached, type RepoPermission, type RepoRef } from '../pachd/model.ts';
import { Failure } from './failure.ts';

/** Who a request comes from. */
export type Principal =
  /** Auth is off in this Pachyderm: everybody may do everything. */
  | { readonly kind: 'anyone' }
  /** Auth is on, and pachd knows the token. `id` stands for the token in caches: it is no secret. */
  | { readonly kind: 'known'; readonly name: string; readonly id: string };

const PRINCIPALS_MAX = 10_000;
const PERMISSIONS_MAX = 50_000;
/** A token that pachd called bad is not asked about again at once; a failure to ask is never remembered. */
const BAD_TOKEN_TTL_MS = 2_000;

export interface Identity {
  /**
   * Who a caller is. Without a token: 'anyone' where auth is off, undefined where it is on.
   * @throws Failure unknown-token
   */
  whoIs(caller: Caller): Promise<Principal | undefined>;
  /** @throws Failure denied, or no-such-bucket for a repo that does not exist */
  demand(caller: Caller, principal: Principal, repo: RepoRef, permission: RepoPermission): Promise<void>;
}

/** @param ttlMs how long an answer of pachd is believed; 0: each request asks */
export function createIdentity(pachd: Pachd, cacheSecret: string, ttlMs: number): Identity {
  const principals = new LRUCache<string, Principal | 'bad' | 'anonymous'>({
    max: PRINCIPALS_MAX,
    ttl: Math.max(1, ttlMs),
  });
  const permissions = new LRUCache<string, ReadonlySet<RepoPermission>>({
    max: PERMISSIONS_MAX,
    ttl: Math.max(1, ttlMs),
  });
  const asking = createFlights<Principal | 'bad' | 'anonymous'>();
  const lookingUp = createFlights<ReadonlySet<RepoPermission>>();

  // The token is a password: what stands for it in a cache must not lead back to it.
  const idOf = (token: string | undefined) =>
    token === undefined ? '' : createHmac('sha256', cacheSecret).update(token).digest('base64url');

  const ask = async (caller: Caller, id: string): Promise<Principal | 'bad' | 'anonymous'> => {
    let answer: Principal | 'bad' | 'anonymous';
    try {
      answer = { kind: 'known', name: await pachd.whoAmI(caller), id };
    } catch (error) {
      if (isPachdError(error, 'auth-off')) answer = { kind: 'anyone' };
      else if (isPachdError(error, 'bad-token')) answer = caller.token === undefined ? 'anonymous' : 'bad';
      else throw error;
    }
    if (ttlMs > 0)
      principals.set(id, answer, answer === 'bad' ? { ttl: Math.min(ttlMs, BAD_TOKEN_TTL_MS) } : undefined);
    return answer;
  };

  return {
    async whoIs(caller) {
      const id = idOf(caller.token);
      const answer = principals.get(id) ?? (await asking(id, () => ask(detached(caller), id)));
      if (answer === 'bad') throw new Failure('unknown-token', 'pachd does not know the token');
      return answer === 'anonymous' ? undefined : answer;
    },

    async demand(caller, principal, repo, permission) {
      if (principal.kind === 'anyone') return;
      const key = `${principal.id} ${repo.project}/${repo.repo}`;
      if (permissions.get(key)?.has(permission)) return;
      // Only what is granted is believed for a while: who was just given a permission has it at the next request.
      const held = await lookingUp(key, async () => {
        const fresh = await pachd.permissions(detached(caller), repo);
        if (ttlMs > 0) permissions.set(key, fresh);
        return fresh;
      });
      if (!held.has(permission)) throw new Failure('denied', `${principal.name} lacks the permission "${permission}"`);
    },
  };
}
