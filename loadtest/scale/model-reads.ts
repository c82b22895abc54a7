import {
  BALANCER_CORES,
  COLD_READERS_PER_GATEWAY,
  HOT_READERS_PER_GATEWAY,
  READERS_IN_ALL,
  SET_READ_SECONDS,
  SET_READS_PER_SECOND,
} from './assumed.ts';
import type { Figures, HotReads, Who } from './figures.ts';
import { fitLine, type Line, onLine } from './fit.ts';
import { delay, servers, solve } from './queueing.ts';
import { type Step, simulate } from './simulation.ts';

/** Fleets up to this size are fitted to; larger ones are what the fit is held against. */
export const FITTED_WORKERS = 2;
const SEED = 7;
/** Work in a program is nearly as long each time. */
const PHASES = 4;
const SIMULATED_MIN = 15_000;
const SIMULATED_PER_CLIENT = 10;

export interface Predicted {
  readonly perSecond: number;
  readonly simulatedPerSecond: number;
  readonly seconds: number;
  /** What of each station is in use, 0 to 1. */
  readonly used: Readonly<Record<string, number>>;
  readonly pachdPer1000: number;
}

/** What a hot read costs each program, by how many workers there are for one reader: a worker that has many in hand does them together. */
export interface HotCosts {
  seconds(who: Who, workersPerReader: number): number;
  /** Of the whole fleet, however many read: one look-up of the branch and of the caller after each time to live. */
  readonly pachdCallsPerSecond: number;
}

export function hotCosts({ hotReads }: Figures): HotCosts {
  const fitted = hotReads.filter(({ workers }) => workers <= FITTED_WORKERS);
  const lines = new Map<Who, Line>();
  const lineOf = (who: Who): Line => {
    const known = lines.get(who) ?? fitLine(fitted.map((row) => [row.workers / row.readers, row.costUs[who]]));
    lines.set(who, known);
    return known;
  };
  const calls = hotReads.map(({ pachdPer1000, perSecond }) => (pachdPer1000 * perSecond) / 1_000);
  return {
    seconds: (who, workersPerReader) => Math.max(0, onLine(lineOf(who), workersPerReader)) / 1_000_000,
    pachdCallsPerSecond: calls.reduce((sum, each) => sum + each, 0) / calls.length,
  };
}

export function predictHot(costs: HotCosts, gateways: number): Predicted {
  const clients = gateways * HOT_READERS_PER_GATEWAY;
  const of = (who: Who) => costs.seconds(who, 1 / HOT_READERS_PER_GATEWAY);
  const fleet = fleetOf(of, gateways);
  const { perSecond, seconds } = solve(fleet.stations, clients);
  return {
    perSecond,
    seconds,
    simulatedPerSecond: simulated(fleet.steps, clients),
    used: fleet.used(perSecond),
    pachdPer1000: (costs.pachdCallsPerSecond / perSecond) * 1_000,
  };
}

/** The programs of a fleet that every read passes, each on a machine of its own. @param secondsOf what one read costs each */
function fleetOf(secondsOf: (who: Who) => number, gateways: number) {
  const [balancer, gateway, redis] = [secondsOf('balancer'), secondsOf('gateways'), secondsOf('redis')];
  return {
    stations: [
      servers('balancer', balancer, BALANCER_CORES),
      servers('gateways', gateway, gateways),
      servers('redis', redis, 1),
    ],
    steps: [onOwnMachine(balancer, BALANCER_CORES), ofSome(gateway, gateways), onOwnMachine(redis, 1)],
    used: (perSecond: number) => ({
      balancer: (perSecond * balancer) / BALANCER_CORES,
      gateways: (perSecond * gateway) / gateways,
      Redis: perSecond * redis,
    }),
  };
}

/** What a machine that all programs share gives, clients too, in place of machines of their own. */
export function predictShared(costs: HotCosts, { workers, readers }: HotReads, cores: number) {
  const of = (who: Who) => costs.seconds(who, workers / readers);
  const [client, balancer, gateway, redis, pachd] = [
    of('clients'),
    of('balancer'),
    of('gateways'),
    of('redis'),
    of('pachd'),
  ];
  const all = client + balancer + gateway + redis + pachd;
  const { perSecond } = solve([{ name: 'cores', demandSeconds: all, speed: (here) => Math.min(here, cores) }], readers);
  const machine = { cores };
  const thread = (threads: number) => ({ machine, threads });
  const steps: readonly Step[] = [
    { of: [thread(1)], seconds: client },
    { of: [thread(Math.ceil(cores))], seconds: balancer },
    { of: Array.from({ length: workers }, () => thread(1)), seconds: gateway },
    { of: [thread(1)], seconds: redis },
    { of: [thread(1)], seconds: pachd },
  ];
  return {
    // No worker does more than one thing at a time, however many cores there are.
    perSecond: Math.min(perSecond, workers / gateway, 1 / client),
    simulatedPerSecond: simulated(steps, readers),
  };
}

/**
 * Calls of pachd for 1000 cold reads, by gateways: a line over their doublings, through what 1, 2 and 4 workers asked; one for each at the most.
 * @param among whether there are as many readers in all, or as many of each gateway
 */
export function coldCallsPer1000({ coldReads }: Figures, among: 'all' | 'each'): (gateways: number) => number {
  const readersOf = (gateways: number) => (among === 'all' ? READERS_IN_ALL : COLD_READERS_PER_GATEWAY * gateways);
  const rows = coldReads.filter(({ order, readers, workers }) => order === 'any' && readers === readersOf(workers));
  const line = fitLine(rows.map((row) => [Math.log2(row.workers), row.pachdPer1000]));
  return (gateways) => Math.min(1_000, Math.max(1, onLine(line, Math.log2(gateways))));
}

export function predictCold(figures: Figures, gateways: number, pachds: number): Predicted {
  const clients = gateways * COLD_READERS_PER_GATEWAY;
  const rows = figures.coldReads.filter(({ order }) => order === 'any');
  const of = (who: Who) => rows.reduce((sum, { costUs }) => sum + costUs[who], 0) / rows.length / 1_000_000;
  const calls = coldCallsPer1000(figures, 'each')(gateways) / 1_000;
  const fleet = fleetOf(of, gateways);
  const { perSecond, seconds } = solve(
    [...fleet.stations, servers('pachd', calls / SET_READS_PER_SECOND, pachds), delay('call', SET_READ_SECONDS)],
    clients,
  );
  const steps: readonly Step[] = [
    ...fleet.steps,
    { ...ofSome(1 / SET_READS_PER_SECOND, pachds), part: calls },
    onOwnMachine(SET_READ_SECONDS, clients),
  ];
  return {
    perSecond,
    seconds,
    simulatedPerSecond: simulated(steps, clients),
    used: { ...fleet.used(perSecond), pachd: (perSecond * calls) / SET_READS_PER_SECOND / pachds },
    pachdPer1000: calls * 1_000,
  };
}

function simulated(steps: readonly Step[], clients: number): number {
  const requests = Math.max(SIMULATED_MIN, SIMULATED_PER_CLIENT * clients);
  return simulate({ clients, steps, requests, seed: SEED, phases: PHASES }).perSecond;
}

/** Threads that take from one queue. */
function onOwnMachine(seconds: number, threads: number): Step {
  return { of: [{ machine: { cores: threads }, threads }], seconds };
}

/** Programs with a thread, a core and a queue each. */
function ofSome(seconds: number, count: number): Step {
  return { of: Array.from({ length: count }, () => ({ machine: { cores: 1 }, threads: 1 })), seconds };
}
