import { setTimeout } from 'node:timers/promises';
import { hostPort } from './channel.ts';
import { createMember, type Member, type MemberStatus } from './member.ts';
import { createResolver, type Endpoint, type Lookup, type Target } from './resolver.ts';

/** How long calls wait for the first pachd that answers when none is known to serve. Refused connections are told at once. */
const REVIVAL_MAX_MS = 500;

/** The pachds of a pool, as their addresses come and go. */
export interface Members {
  /** Those that get calls. */
  serving(): readonly Member[];
  /** When none serves: asks them all, at once, and resolves when one serves, all have failed, or the time is up. */
  revive(): Promise<void>;
  /** Those that are there, and those that have gone and still have calls to end. */
  status(): readonly MemberStatus[];
  /** Why none serves. */
  why(): string;
  close(): void;
}

/** @param find how names are looked up; left out: as the system does */
export function createMembers(targets: readonly Target[], find?: Lookup): Members {
  const members = new Map<string, Member>();
  const leaving = new Set<Member>();
  /** Who wait for one that serves. */
  const waiting = new Set<() => void>();
  let revival: Promise<unknown> | undefined;

  const serving = () => [...members.values()].filter(({ channel }) => channel !== undefined);

  const join = (endpoint: Endpoint, cold: boolean): Member => {
    const neighbours = {
      othersServe: () => serving().some((other) => other !== member),
      changed() {
        // What was ejected may have moved.
        void resolver.refresh();
        if (serving().length > 0) for (const tell of waiting) tell();
      },
    };
    const member: Member = createMember(endpoint, neighbours, cold);
    return member;
  };

  const forget = () => {
    for (const member of leaving) if (member.inFlight === 0) leaving.delete(member);
  };

  const update = () => {
    forget();
    const endpoints = new Map(resolver.endpoints().map((endpoint) => [keyOf(endpoint), endpoint]));
    for (const [key, member] of members) {
      if (endpoints.has(key)) continue;
      members.delete(key);
      leaving.add(member);
      member.leave('its address is gone');
    }
    const joining = [...endpoints].filter(([key]) => !members.has(key));
    const cold = members.size > 0;
    for (const [key, endpoint] of joining) members.set(key, join(endpoint, cold));
  };

  const resolver = createResolver(targets, update, find);
  update();

  const askAll = async () => {
    await Promise.all([resolver.refresh(), ...[...members.values()].map((member) => member.check())]);
    // A look-up may have found others.
    await Promise.all([...members.values()].map((member) => member.check()));
  };

  return {
    serving,
    async revive() {
      revival ??= askAll().finally(() => {
        revival = undefined;
      });
      const end = new AbortController();
      let tell = () => {};
      const served = new Promise<void>((resolve) => {
        tell = resolve;
      });
      waiting.add(tell);
      try {
        await Promise.race([served, revival, setTimeout(REVIVAL_MAX_MS, undefined, { signal: end.signal })]);
      } finally {
        waiting.delete(tell);
        end.abort();
      }
    },
    status() {
      forget();
      return [...members.values(), ...leaving].map((member) => member.status());
    },
    why() {
      const reasons = [...members.values()]
        .map((member) => member.status())
        .map(({ address, why }) => `${address} ${why}`);
      return (reasons.length > 0 ? reasons.join('; ') : resolver.failure()) ?? 'no address is known yet';
    },
    close() {
      resolver.close();
      for (const member of members.values()) member.leave('the pool is closed');
    },
  };
}

function keyOf({ host, port, tls, name = '' }: Endpoint): string {
  return `${tls ? 'tls' : 'plain'} ${name} ${hostPort(host, port)}`;
}
