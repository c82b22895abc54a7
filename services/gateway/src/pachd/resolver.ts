import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** How often a name is looked up again: a new pachd gets calls within this, and the look-ups cost nothing. */
const AGAIN_MS = 5_000;
/** And how often at the most when pachds fail, one after the other. */
const AGAIN_AT_ONCE_MS = 500;
/** Addresses of one name; past it something else is wrong. */
const ADDRESSES_MAX = 256;

/** A pachd, or a name that stands for several. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** One address of a pachd. */
export interface Endpoint {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The name that was looked up: what the server's certificate must be for. */
  readonly name: string | undefined;
}

/** All addresses of a name, of both families. @throws when they cannot be had */
export type Lookup = (host: string) => Promise<readonly string[]>;

export interface Resolver {
  /** Every address that is known now. */
  endpoints(): readonly Endpoint[];
  /** Looks up soon, since a pachd failed; resolves when that is done. Never rejects. */
  refresh(): Promise<void>;
  /** Why names have no address at all, for the status. */
  failure(): string | undefined;
  close(): void;
}

/**
 * Knows the addresses of targets. An IP address is what it is; a name is looked up, as the system does (hosts file, search domains),
 * and each of its addresses is a pachd. A look-up that fails, or finds nothing, changes nothing.
 * @param changed is called after `endpoints` has changed
 */
export function createResolver(targets: readonly Target[], changed: () => void, find: Lookup = addressesOf): Resolver {
  const names = targets.filter(({ host }) => isIP(host) === 0);
  const found = new Map<Target, readonly string[]>();
  let failure: string | undefined;
  let looking: Promise<void> | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const lookUp = async (target: Target): Promise<void> => {
    const addresses = (await find(target.host)).slice(0, ADDRESSES_MAX).toSorted();
    if (addresses.length === 0) throw new Error(`${target.host} has no address`);
    const before = found.get(target);
    found.set(target, addresses);
    if (before?.join() !== addresses.join() && !closed) changed();
  };

  const lookUpAll = async (): Promise<void> => {
    clearTimeout(timer);
    const outcomes = await Promise.allSettled(names.map(lookUp));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    failure =
      failed === undefined ? undefined : String(failed.reason instanceof Error ? failed.reason.message : failed.reason);
    lookedAtMs = Date.now();
    looking = undefined;
    if (!closed) timer = setTimeout(again, AGAIN_MS);
  };

  const again = (): Promise<void> => {
    looking ??= lookUpAll();
    return looking;
  };

  if (names.length > 0) void again();

  return {
    endpoints: () =>
      targets.flatMap((target): readonly Endpoint[] =>
        isIP(target.host) === 0
          ? (found.get(target) ?? []).map((host) => ({ ...target, host, name: target.host }))
          : [{ ...target, name: undefined }],
      ),
    refresh: async () => {
      if (names.length === 0 || closed) return;
      if (looking !== undefined || Date.now() - lookedAtMs >= AGAIN_AT_ONCE_MS) await again();
    },
    failure: () => failure,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

const addressesOf: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);
