import { createFacts, type FactKind, type Facts } from '../cache/facts.ts';
import type { Scripts } from '../cache/script.ts';
import type { RepoPermission } from '../pachd/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { TokenOwner } from './identity.ts';
import type { Named } from './names.ts';

/** What any worker of a fleet has asked pachd, and the others need not ask again. */
export interface SharedFacts {
  /** By token. */
  readonly owners: Facts<TokenOwner>;
  /** By owner and repo. */
  readonly permissions: Facts<ReadonlySet<RepoPermission>>;
  /** By finished commit and path; also what a commit that tusk has just made has there. */
  readonly names: Facts<Named>;
  /** By repo and hash. */
  readonly contents: Facts<Uint8Array>;
  /** The ids of TOTAL file sets, by finished commit: they are capabilities, and stand in Redis sealed like everything. */
  readonly sets: Facts<string>;
}

/** How a value is written down, as JSON. */
function asJson<T, Written>(write: (value: T) => Written, read: (written: Written) => T) {
  return {
    encode: (value: T) => Buffer.from(JSON.stringify(write(value))),
    decode: (bytes: Uint8Array) => read(JSON.parse(Buffer.from(bytes).toString()) as Written),
  };
}

const OWNER: FactKind<TokenOwner> = {
  name: 'owner',
  changes: 'ends',
  ...asJson(
    (owner: TokenOwner) => owner,
    (owner) => owner,
  ),
};

const PERMISSIONS: FactKind<ReadonlySet<RepoPermission>> = {
  name: 'permissions',
  changes: 'ends',
  ...asJson(
    (held: ReadonlySet<RepoPermission>) => [...held],
    (held) => new Set(held),
  ),
};

const NAME: FactKind<Named> = {
  name: 'name',
  changes: 'never',
  ...asJson(
    (named: Named) =>
      typeof named === 'string' ? named : { ...named, hash: Buffer.from(named.hash).toString('base64') },
    (named) => (typeof named === 'string' ? named : { ...named, hash: Buffer.from(named.hash, 'base64') }),
  ),
};

const CONTENT: FactKind<Uint8Array> = {
  name: 'content',
  changes: 'never',
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};

const SET: FactKind<string> = {
  name: 'set',
  changes: 'never',
  encode: (fileSetId) => Buffer.from(fileSetId),
  decode: (bytes) => Buffer.from(bytes).toString(),
};

/** @param scripts undefined: the worker is alone, and nothing is shared */
export function createSharedFacts(scripts: Scripts | undefined, cacheSecret: string, log: Log): SharedFacts {
  return {
    owners: createFacts(scripts, cacheSecret, OWNER, log),
    permissions: createFacts(scripts, cacheSecret, PERMISSIONS, log),
    names: createFacts(scripts, cacheSecret, NAME, log),
    contents: createFacts(scripts, cacheSecret, CONTENT, log),
    sets: createFacts(scripts, cacheSecret, SET, log),
  };
}
