import {
  BALANCER_CORES,
  BRANCHES,
  COLD_READERS_PER_GATEWAY,
  finishSeconds,
  GATEWAYS,
  HOT_READERS_PER_GATEWAY,
  PACHDS,
  READERS_IN_ALL,
  roundSeconds,
  SET_READ_SECONDS,
  SET_READS_PER_SECOND,
  WRITERS_PER_GATEWAY,
} from './assumed.ts';
import type { Taken } from './figures.ts';
import { coldCallsPer1000, type Predicted } from './model-reads.ts';
import { off, percent, short, table, worst } from './numbers.ts';
import { coresLeft, type Study } from './study.ts';

/** The tables of docs/scale.md. */

const us = (value: number): string => String(Math.round(value));
const COSTS = ['gateways', 'balancer', 'Redis', 'pachd', 'clients'];
const costsOf = ({ costUs: { gateways, balancer, redis, pachd, clients } }: Taken) =>
  [gateways, balancer, redis, pachd, clients].map(us);

export function whenTaken({ figures }: Study): readonly string[] {
  const all: readonly Taken[] = [...figures.hotReads, ...figures.coldReads, ...figures.writes];
  const others = all.map(({ coresOfOthers }) => coresOfOthers).toSorted((one, other) => one - other);
  const [least = 0, middle = 0, most = 0] = [others[0], others[others.length >> 1], others.at(-1)];
  return [
    `Taken on ${figures.takenOn}, on ${figures.cores} cores, ${figures.machine}. Others than these programs used ${short(middle)} of the cores`,
    `(median of all rows; from ${short(least)} to ${short(most)}), which the checks of the model below take off. What the programs work when nobody asks them anything`,
    '(health checks, timers) is taken for others too: it is no cost of a request.',
  ];
}

export function hotReads({ figures }: Study): readonly string[] {
  return table(
    ['workers', 'readers', 'reads/s', ...COSTS, 'scripts of Redis', 'calls of pachd for 1000'],
    figures.hotReads.map((row) => [
      String(row.workers),
      String(row.readers),
      short(row.perSecond),
      ...costsOf(row),
      short(row.scripts),
      short(row.pachdPer1000),
    ]),
  );
}

export function twoCores({ figures, shared }: Study): readonly string[] {
  const rows = shared.map(({ row, modelled, simulatedPerSecond, heldOut }) => [
    `${row.workers}${heldOut ? ' (held out)' : ''}`,
    String(row.readers),
    short(coresLeft(figures, row)),
    short(row.perSecond),
    `${short(modelled)} (${off(modelled, row.perSecond)})`,
    `${short(simulatedPerSecond)} (${off(simulatedPerSecond, row.perSecond)})`,
  ]);
  return table(['workers', 'readers', 'cores left', 'measured reads/s', 'model', 'simulation'], rows);
}

export function hotFleet({ hot }: Study): readonly string[] {
  return fleet(hot, ['gateways', 'balancer', 'Redis'], 'reads/s');
}

export function coldFleet({ cold }: Study): readonly string[] {
  return PACHDS.flatMap((pachds, at) => [
    ...(at === 0 ? [] : ['']),
    `With ${pachds === 1 ? 'one pachd' : `${pachds} pachds`}:`,
    '',
    ...fleet(cold.get(pachds) ?? new Map(), ['pachd', 'gateways', 'balancer', 'Redis'], 'reads/s'),
  ]);
}

export function writeFleet({ writes: predicted }: Study): readonly string[] {
  return fleet(predicted, ['pachd', 'gateways', 'balancer', 'Redis'], 'writes/s');
}

function fleet(predicted: ReadonlyMap<number, Predicted>, stations: readonly string[], what: string) {
  const rows = [...predicted].map(([gateways, { perSecond, simulatedPerSecond, seconds, used }]) => [
    String(gateways),
    short(perSecond),
    `${short(simulatedPerSecond)} (${off(simulatedPerSecond, perSecond)})`,
    `${short(seconds * 1_000)} ms`,
    ...stations.map((name) => percent(used[name] ?? 0)),
  ]);
  return table(
    ['gateways', `${what}, model`, 'simulation', 'an answer takes', ...stations.map((name) => `${name} in use`)],
    rows,
  );
}

export function coldReads({ figures, coldCalls }: Study): readonly string[] {
  const modelledOf = new Map(coldCalls.map(({ row, modelled }) => [row, modelled]));
  return table(
    ['workers', 'readers', 'order', 'reads/s', ...COSTS, 'calls of pachd for 1000', 'line'],
    figures.coldReads.map((row) => {
      const modelled = modelledOf.get(row);
      return [
        String(row.workers),
        String(row.readers),
        row.order,
        short(row.perSecond),
        ...costsOf(row),
        short(row.pachdPer1000),
        modelled === undefined ? '' : `${short(modelled)} (${off(modelled, row.pachdPer1000)})`,
      ];
    }),
  );
}

export function writes({ figures, rounds }: Study): readonly string[] {
  const checkOf = new Map(rounds.map((checked) => [checked.row, checked]));
  return table(
    [
      'workers',
      'writers',
      'branches',
      'to',
      'writes/s',
      ...COSTS,
      'commits for 1000',
      'calls of pachd for 1000',
      'model, writes/s',
    ],
    figures.writes.map((row) => {
      const check = checkOf.get(row);
      return [
        String(row.workers),
        String(row.writers),
        String(row.branches),
        row.spread === 'by branch' ? "the branch's worker" : 'any worker',
        short(row.perSecond),
        ...costsOf(row),
        short(row.commitsPer1000),
        short(row.pachdPer1000),
        check === undefined
          ? ''
          : `${short(check.modelled)} (${off(check.modelled, row.perSecond)}${check.coresToSpare ? '' : ', no core to spare'})`,
      ];
    }),
  );
}

export function pachd({ figures, hot, cold, writes: predicted, costs }: Study): readonly string[] {
  const inAll = coldCallsPer1000(figures, 'all');
  const rows = GATEWAYS.map((gateways) => [
    String(gateways),
    short(hot.get(gateways)?.pachdPer1000 ?? Number.NaN),
    short(cold.get(1)?.get(gateways)?.pachdPer1000 ?? Number.NaN),
    short(inAll(gateways)),
    short(predicted.get(gateways)?.pachdPer1000 ?? Number.NaN),
  ]);
  return [
    ...table(
      [
        'gateways',
        'hot reads',
        `cold reads, ${COLD_READERS_PER_GATEWAY} readers a gateway`,
        `cold reads, ${READERS_IN_ALL} readers in all`,
        `writes, ${WRITERS_PER_GATEWAY} writers a gateway`,
      ],
      rows,
    ),
    '',
    `Hot reads of one branch ask pachd ${short(costs.pachdCallsPerSecond)} times a second, however many there are: a look-up of the branch each \`TUSK_HEAD_TTL_MS\`, and of the caller each`,
    '`TUSK_AUTH_TTL_MS`. So what is asked for 1000 of them falls as the fleet grows.',
  ];
}

export function assumed({ hot, writes: predicted, cold, shared }: Study): readonly string[] {
  const fleets = [...hot.values(), ...predicted.values(), ...[...cold.values()].flatMap((each) => [...each.values()])];
  const simulated = worst(fleets.map(({ simulatedPerSecond, perSecond }) => [simulatedPerSecond, perSecond]));
  const own = worst(shared.filter(({ heldOut }) => heldOut).map(({ modelled, row }) => [modelled, row.perSecond]));
  return [
    `- A balancer of ${BALANCER_CORES} cores, one Redis, gateways of one worker with a core of its own, clients and a network that cost nothing; ${HOT_READERS_PER_GATEWAY} readers of hot objects a gateway, ${COLD_READERS_PER_GATEWAY} of cold ones, ${WRITERS_PER_GATEWAY} writers; ${BRANCHES} branches in as many repos.`,
    `- pachd, as it was recorded on two cores and not measured here: ${SET_READS_PER_SECOND} reads of file sets a second, ${short(SET_READ_SECONDS * 1_000)} ms each; a round of 64 new files ${short(roundSeconds(64) * 1_000)} ms, of 1024 ${short(roundSeconds(1_024) * 1_000)} ms; finishing a commit ${short(finishSeconds(1, 64) * 1_000)} ms where others of its repo wait, ${short(finishSeconds(BRANCHES, 64) * 1_000)} ms in ${BRANCHES} repos at once. Several pachds are taken to have a machine each; they share a database and a store, which nobody recorded.`,
    '- What a program needs for a request here, on cores that it shares with the others, is what it needs on cores of its own. Caches of a processor that is less disturbed make that an upper bound.',
    `- The simulation is off the model by ${simulated} at the most, over all of the fleets above; the model is off what was measured with 4 workers, which it was not fitted to, by ${own} at the most.`,
  ];
}
