import type { Log } from '../telemetry/log.ts';
import { addressText, connect, shuffled } from './redis-connection.ts';
import { pause, within } from './redis-deadline.ts';
import { closeServer, type Server, serverTried, type Topology } from './redis-server.ts';
import { hashSlot, SLOTS } from './redis-slot.ts';
import type { ClusterRedis, RedisAddress, SingleRedis } from './redis-url.ts';

/** Slots from first to last, both inclusive, and the primary that has them. */
interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: RedisAddress;
}

/** How often the cluster is asked who has what, and how often while a primary is lost; not sooner again than the last. */
const REFRESH_MS = 10_000;
const REFRESH_LOST_MS = 1_000;
const REFRESH_MIN_MS = 250;
const ANSWER_MAX_MS = 2_000;

/**
 * Knows which primary has a slot. A call whose slot is elsewhere is lost and not followed: of a slot that is on its way (ASK, TRYAGAIN)
 * some keys are here and some there, and in two eras; and after MOVED the next call is sent to the right one.
 */
export function openCluster(
  url: ClusterRedis,
  openServer: (target: SingleRedis) => Server,
  log: Pick<Log, 'warn'>,
): Topology {
  const servers = new Map<string, { readonly address: RedisAddress; readonly server: Server }>();
  const closing = new AbortController();
  const leaving = new Set<Promise<void>>();
  let bySlot: (Server | undefined)[] = [];
  let wake = (): void => {};
  let isLost = false;

  const targetOf = (address: RedisAddress): SingleRedis => {
    const { user, password, tls } = url;
    return { kind: 'single', address, database: 0, user, password, tls };
  };

  const leave = (server: Server): void => {
    const left = closeServer(server).finally(() => leaving.delete(left));
    leaving.add(left);
  };

  const take = (ranges: readonly SlotRange[]): void => {
    const next: (Server | undefined)[] = Array.from({ length: SLOTS });
    const named = new Set<string>();
    for (const { first, last, primary } of ranges) {
      const name = addressText(primary);
      const known = servers.get(name) ?? { address: primary, server: openServer(targetOf(primary)) };
      servers.set(name, known);
      named.add(name);
      next.fill(known.server, first, last + 1);
    }
    bySlot = next;
    for (const [name, { server }] of servers) {
      if (named.has(name)) continue;
      servers.delete(name);
      leave(server);
    }
  };

  /** Asks any node that answers. */
  const look = async (): Promise<void> => {
    let why: unknown;
    for (const address of shuffled([...[...servers.values()].map((known) => known.address), ...url.nodes])) {
      if (closing.signal.aborted) return;
      try {
        take(await askSlots(targetOf(address)));
        isLost = false;
        return;
      } catch (error) {
        why = error;
      }
    }
    if (!isLost) log.warn({ cause: why }, 'no node of the Redis cluster answers');
    isLost = true;
  };

  const keepLooking = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const woken = new AbortController();
      wake = () => woken.abort();
      // A fleet does not ask in one moment, and many calls that are told the same are one question.
      await pause(jittered(REFRESH_MIN_MS), closing.signal);
      const areUp = [...servers.values()].every(({ server }) => Object.values(server).every((link) => link.isUp()));
      const all = AbortSignal.any([closing.signal, woken.signal]);
      await pause(jittered(areUp && !isLost ? REFRESH_MS : REFRESH_LOST_MS), all);
      if (!closing.signal.aborted) await look();
    }
  };

  const first = look();
  const looking = first.then(keepLooking);

  return {
    serverOf: (slot) => bySlot[hashSlot(slot)],
    servers: () => [...servers.values()].map(({ server }) => server),
    lookAgain: () => wake(),
    tried: first.then(async () => {
      await Promise.all([...servers.values()].map(({ server }) => serverTried(server)));
    }),
    async close() {
      closing.abort();
      await looking;
      for (const { server } of servers.values()) leave(server);
      servers.clear();
      bySlot = [];
      await Promise.all(leaving);
    },
  };
}

/** @throws Error when the node does not answer, or knows of no slots */
async function askSlots(target: SingleRedis): Promise<readonly SlotRange[]> {
  const connection = await connect(target, ANSWER_MAX_MS);
  try {
    const [answer] = await within(ANSWER_MAX_MS, connection.send([['cluster', 'slots']]));
    if (answer?.kind === 'refused') throw new Error(answer.text);
    if (answer?.kind !== 'value' || !Array.isArray(answer.value)) throw new Error('the node has not answered');
    const ranges = answer.value.map((range) => asSlotRange(range, target.address.host));
    if (ranges.length === 0) throw new Error('the node knows of no slots');
    return ranges;
  } finally {
    connection.close();
  }
}

/** @param askedHost where a node is that does not know its own address (CLUSTER SLOTS: a null or empty endpoint) */
function asSlotRange(range: unknown, askedHost: string): SlotRange {
  if (!Array.isArray(range)) throw new Error('CLUSTER SLOTS answers something else than ranges');
  const [first, last, primary] = range.map((field: unknown) => (Array.isArray(field) ? field : Number(field)));
  if (typeof first !== 'number' || typeof last !== 'number' || !Array.isArray(primary) || !(last < SLOTS)) {
    throw new Error('CLUSTER SLOTS answers something else than ranges');
  }
  const [host, port]: unknown[] = primary;
  return { first, last, primary: { host: host ? String(host) : askedHost, port: Number(port) } };
}

function jittered(ms: number): number {
  return ms * (0.5 + Math.random());
}
