import { performance } from 'node:perf_hooks';
import { type Candidate, RETURN_MS } from './balance.ts';
import { type Channel, hostPort, openChannel } from './channel.ts';
import { checkHealth } from './health.ts';
import type { Endpoint } from './resolver.ts';

/** How often one that serves, or is going away, is asked how it is. */
const CHECK_MS = 1_000;
/** How long one that failed is left alone, the first time and at the most; twice as long each time. */
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 10_000;
/** And at the most while no other serves. */
const LONELY_BACKOFF_MAX_MS = 1_000;
/** A pachd that could not be reached just now is not tried again at once, however many calls ask for it. */
const REST_MS = 100;
/** Silence of the last one that serves: a slow pachd is better than none, a dead one is not. */
const SILENCES_MAX = 3;
/** So many answers in a row that came too late, or after another's, over so long: a pause that many calls wait out together is none of it. */
const SLOW_MAX = 5;
const SLOW_FOR_MS = 500;

export interface MemberStatus {
  /** IP:PORT. */
  readonly address: string;
  /** serving: gets calls. ejected: could not be reached, or was too slow. draining: is going away, and ends what it has. */
  readonly state: 'serving' | 'ejected' | 'draining';
  /** Why it does not serve; empty when it does. */
  readonly why: string;
  readonly inFlight: number;
  /** Since the gateway's worker began. Of the calls, what was sent a second time are retries, and hedges while the first was on its way. */
  readonly calls: number;
  readonly failures: number;
  readonly retries: number;
  readonly hedges: number;
  readonly ejections: number;
}

/** A call under way. */
export interface Load {
  /** Its pachd has fallen silent: if it can be asked of another one, it is given up. */
  abandon(): void;
}

/** One pachd: whether it gets calls, and the channel to it. */
export interface Member extends Candidate {
  /** IP:PORT. */
  readonly address: string;
  /** The channel, while it serves. */
  readonly channel: Channel | undefined;
  /** Asks it how it is, now; all who ask meanwhile wait for the same answer. Never rejects. */
  check(): Promise<void>;
  /** The same, but what was asked before does not count. Whether it serves then. */
  lives(): Promise<boolean>;
  begin(load: Load, as: 'call' | 'retry' | 'hedge'): void;
  end(load: Load): void;
  /** A call over this channel failed as unavailable. */
  failed(channel: Channel, why: string): void;
  /** It answered in time; it did not. */
  prompt(): void;
  slow(): void;
  status(): MemberStatus;
  /** Takes no more calls for ever, and lets those under way end. @param why for the status */
  leave(why: string): void;
}

type State =
  | { readonly kind: 'serving'; readonly sinceMs: number }
  | { readonly kind: 'ejected' | 'draining'; readonly why: string };

export interface Neighbours {
  /** Whether any other pachd serves. */
  othersServe(): boolean;
  /** It has begun or ceased to serve. */
  changed(): void;
}

/**
 * Begins as one that is not known to serve, and asks it at once.
 * @param cold whether it joins others that have the load already
 */
export function createMember(endpoint: Endpoint, neighbours: Neighbours, cold: boolean): Member {
  const address = hostPort(endpoint.host, endpoint.port);
  const loads = new Set<Load>();
  const count = { call: 0, retry: 0, hedge: 0, failures: 0, ejections: 0 };
  let state: State = { kind: 'ejected', why: 'not asked yet' };
  let channel: Channel | undefined;
  let checking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let left = false;
  let returnsSlowly = cold;
  /** Ejections and failed checks since it last served at its full share. */
  let falls = 0;
  let cameMs = Number.NEGATIVE_INFINITY;
  let silences = 0;
  let slowOnes = 0;
  let slowSinceMs = 0;
  let failedAtMs = Number.NEGATIVE_INFINITY;

  const enter = (next: State) => {
    const changed = next.kind !== state.kind;
    if (changed && state.kind === 'serving' && performance.now() - cameMs > RETURN_MS) falls = 0;
    if (changed && next.kind === 'ejected') count.ejections += 1;
    state = next;
    if (changed) neighbours.changed();
  };

  const disconnect = () => {
    channel?.close();
    channel = undefined;
  };

  const eject = (why: string) => {
    // What comes next goes over a new connection: the old one may lead to a host that is no more.
    disconnect();
    enter({ kind: 'ejected', why });
    falls += 1;
    returnsSlowly = true;
    [silences, slowOnes] = [0, 0];
    checkLater();
  };

  const comeBack = (over: Channel) => {
    cameMs = performance.now();
    // That is of use only where others do the work meanwhile.
    const sinceMs = returnsSlowly && neighbours.othersServe() ? cameMs : Number.NEGATIVE_INFINITY;
    over.onEnd(() => {
      if (over !== channel || left) return;
      // It may have died, or closes its connections one by one: asked anew, it tells.
      disconnect();
      enter({ kind: 'draining', why: 'its connection has ended' });
      void check();
    });
    enter({ kind: 'serving', sinceMs });
  };

  const ask = async (): Promise<void> => {
    channel ??= openChannel(endpoint);
    const asked = channel;
    const health = await checkHealth(asked);
    if (left) return;
    // Its connection ended meanwhile, and nobody knows why yet; or calls have found out before.
    if (asked !== channel) return state.kind === 'draining' ? ask() : undefined;
    switch (health.kind) {
      case 'serving':
        silences = 0;
        if (state.kind !== 'serving') comeBack(asked);
        return;
      case 'unclear':
        return;
      case 'going':
        returnsSlowly = true;
        return enter({ kind: 'draining', why: health.why });
      case 'unreachable':
        failedAtMs = performance.now();
        return eject(health.why);
      case 'silent':
        silences += 1;
        if (state.kind === 'serving' && silences < SILENCES_MAX && !neighbours.othersServe()) return;
        failedAtMs = performance.now();
        eject(health.why);
        for (const load of loads) load.abandon();
    }
  };

  const check = (): Promise<void> => {
    if (left || performance.now() - failedAtMs < REST_MS) return Promise.resolve();
    clearTimeout(timer);
    checking ??= ask().finally(() => {
      checking = undefined;
      checkLater();
    });
    return checking;
  };

  const checkLater = () => {
    clearTimeout(timer);
    if (left || checking !== undefined) return;
    const backoffMs = Math.min(
      BACKOFF_MS * 2 ** (falls - 1),
      neighbours.othersServe() ? BACKOFF_MAX_MS : LONELY_BACKOFF_MAX_MS,
    );
    // Spread, or the workers of a fleet would all come at the same moment.
    const delayMs = (state.kind === 'ejected' ? backoffMs : CHECK_MS) * (0.75 + Math.random() / 2);
    timer = setTimeout(() => void check(), delayMs);
  };

  void check();

  return {
    address,
    get channel() {
      return state.kind === 'serving' ? channel : undefined;
    },
    get inFlight() {
      return loads.size;
    },
    get servingSinceMs() {
      return state.kind === 'serving' ? state.sinceMs : Number.POSITIVE_INFINITY;
    },
    check,
    async lives() {
      await checking;
      await check();
      return state.kind === 'serving';
    },
    begin(load, as) {
      loads.add(load);
      count[as] += 1;
    },
    end: (load) => void loads.delete(load),
    failed(over, why) {
      count.failures += 1;
      if (over === channel && state.kind === 'serving') eject(why);
    },
    prompt() {
      slowOnes = 0;
    },
    slow() {
      if (state.kind !== 'serving') return;
      const nowMs = performance.now();
      if (slowOnes === 0) slowSinceMs = nowMs;
      slowOnes += 1;
      const lasts = slowOnes >= SLOW_MAX && nowMs - slowSinceMs >= SLOW_FOR_MS;
      if (lasts && neighbours.othersServe()) eject('slower than others');
    },
    status: () => ({
      address,
      state: state.kind,
      why: state.kind === 'serving' ? '' : state.why,
      inFlight: loads.size,
      calls: count.call + count.retry + count.hedge,
      failures: count.failures,
      retries: count.retry,
      hedges: count.hedge,
      ejections: count.ejections,
    }),
    leave(why) {
      left = true;
      clearTimeout(timer);
      disconnect();
      enter({ kind: 'draining', why });
    },
  };
}
