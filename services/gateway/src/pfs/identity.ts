import { createHmac, hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Facts } from '../cache/facts.ts';
import { createFlights } from '../cache/flight.ts';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import { type Caller, detached, type RepoPermission, type RepoRef } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { Failure } from './failure.ts';
import type { Soon } from './soon.ts';

/** Who a request comes from. */
export type Principal =
  /** Auth is off in this Pachyderm: everybody may do everything. */
  | { readonly kind: 'anyone' }
  /** Auth is on, and pachd knows the token. `id` stands for the token in caches: it is no secret. */
  | { readonly kind: 'known'; readonly name: string; readonly id: string };

/** What pachd says of a token, or of none. */
export type TokenOwner = Principal | 'bad' | 'anonymous';

const PRINCIPALS_MAX = 10_000;
const PERMISSIONS_MAX = 50_000;
/** A token that pachd called bad is not asked about again at once; a failure to ask is never remembered. */
const BAD_TOKEN_TTL_MS = 2_000;

export interface Identity {
  /**
   * Who a caller is. Without a token: 'anyone' where auth is off, undefined where it is on.
   * @throws Failure unknown-token
   */
  whoIs(caller: Caller): Soon<Principal | undefined>;
  /** @throws Failure denied, or no-such-bucket for a repo that does not exist */
  demand(caller: Caller, principal: Principal, repo: RepoRef, permission: RepoPermission): Soon<void>;
}

function principalOf(owner: TokenOwner): Principal | undefined {
  if (owner === 'bad') throw new Failure('unknown-token', 'pachd does not know the token');
  return owner === 'anonymous' ? undefined : owner;
}

/** What the fleet knows already. */
interface Shared {
  readonly owners: Facts<TokenOwner>;
  readonly permissions: Facts<ReadonlySet<RepoPermission>>;
}

/** @param ttlMs how long an answer of pachd is believed; 0: each request asks */
export function createIdentity(pachd: Pachd, shared: Shared, cacheSecret: string, ttlMs: number): Identity {
  const owners = new LRUCache<string, TokenOwner>({
    max: PRINCIPALS_MAX,
    ttl: Math.max(1, ttlMs),
  });
  const permissions = new LRUCache<string, ReadonlySet<RepoPermission>>({
    max: PERMISSIONS_MAX,
    ttl: Math.max(1, ttlMs),
  });
  const salt = randomBytes(32).toString('latin1');
  const ids = new LRUCache<string, string>({ max: PRINCIPALS_MAX });
  const countOwners = countCache('owner');
  const countPermissions = countCache('permission');
  const asking = createFlights<TokenOwner>();
  const lookingUp = createFlights<ReadonlySet<RepoPermission>>();

  // The token is a password: what stands for it in a cache must not lead back to it. Found by a hash, which is made sooner.
  const idOf = (token: string | undefined): string => {
    if (token === undefined) return '';
    const mark = hash('sha256', salt + token, 'base64');
    const known = ids.get(mark);
    if (known !== undefined) return known;
    const id = createHmac('sha256', cacheSecret).update(token).digest('base64url');
    ids.set(mark, id);
    return id;
  };

  const ask = async (caller: Caller, id: string): Promise<TokenOwner> => {
    try {
      return { kind: 'known', name: await pachd.whoAmI(caller), id };
    } catch (error) {
      if (isPachdError(error, 'auth-off')) return { kind: 'anyone' };
      if (isPachdError(error, 'bad-token')) return caller.token === undefined ? 'anonymous' : 'bad';
      throw error;
    }
  };

  const ownerOf = async (caller: Caller, id: string): Promise<TokenOwner> => {
    if (ttlMs === 0) return ask(caller, id);
    const { value, leftMs } = await shared.owners.find(id, async () => {
      const owner = await ask(caller, id);
      return { value: owner, forMs: owner === 'bad' ? Math.min(ttlMs, BAD_TOKEN_TTL_MS) : ttlMs };
    });
    owners.set(id, value, { ttl: leftMs });
    return value;
  };

  /** Only what is granted is believed for a while: who was just given a permission has it at the next request. */
  const permissionsOf = async (
    caller: Caller,
    key: string,
    repo: RepoRef,
    wanted: RepoPermission,
  ): Promise<ReadonlySet<RepoPermission>> => {
    if (ttlMs === 0) return pachd.permissions(caller, repo);
    const { value, leftMs } = await shared.permissions.find(
      key,
      async () => ({ value: await pachd.permissions(caller, repo), forMs: ttlMs }),
      (held) => held.has(wanted),
    );
    permissions.set(key, value, { ttl: leftMs });
    return value;
  };

  return {
    whoIs(caller) {
      const id = idOf(caller.token);
      const known = owners.get(id);
      countOwners.asked(known !== undefined);
      return known === undefined
        ? asking(id, () => ownerOf(detached(caller), id)).then(principalOf)
        : principalOf(known);
    },

    demand(caller, principal, repo, permission) {
      if (principal.kind === 'anyone') return;
      const key = `${principal.id} ${repo.project}/${repo.repo}`;
      const known = permissions.get(key)?.has(permission) === true;
      countPermissions.asked(known);
      if (known) return;
      return lookingUp(`${key} ${permission}`, () => permissionsOf(detached(caller), key, repo, permission)).then(
        (held) => {
          if (held.has(permission)) return;
          throw new Failure('denied', `${principal.name} lacks the permission "${permission}"`);
        },
      );
    },
  };
}
