import {
  BALANCER_CORES,
  BRANCHES,
  finishSeconds,
  GATEWAYS,
  HOT_READERS_PER_GATEWAY,
  PACHDS,
  WRITERS_PER_GATEWAY,
  WRITES_MAX,
} from './assumed.ts';
import type { Predicted } from './model-reads.ts';
import { short } from './numbers.ts';
import type { Study } from './study.ts';

/** What is in use of a station when its queue is what the others wait for. */
const FULL = 0.95;

/** What the study comes to. */
export function inShort({ hot, costs, cold, writes }: Study): readonly string[] {
  const of = (who: 'gateways' | 'balancer' | 'redis') => costs.seconds(who, 1 / HOT_READERS_PER_GATEWAY);
  const most = [
    { name: `a balancer of ${BALANCER_CORES} cores`, perSecond: BALANCER_CORES / of('balancer') },
    { name: 'one Redis', perSecond: 1 / of('redis') },
  ].toSorted((one, other) => one.perSecond - other.perSecond);
  const [first, second] = most.map(
    ({ name, perSecond }) =>
      `${name} at ${short(perSecond)} reads a second, what ${short(perSecond * of('gateways'))} gateways serve`,
  );
  const commits = BRANCHES / finishSeconds(BRANCHES, WRITES_MAX);
  return [
    `- **Hot reads**: full first is ${first}; then ${second}. Before that each gateway adds what it serves alone, ${short(hot.get(1)?.perSecond ?? Number.NaN)} reads a second. pachd gets ${short(costs.pachdCallsPerSecond)} calls a second of the whole fleet.`,
    ...PACHDS.map((pachds) => {
      const named = pachds === 1 ? 'one pachd' : `${pachds} pachds`;
      return `- **Cold reads**, ${named}: ${firstFull(cold.get(pachds) ?? new Map(), 'reads')}`;
    }),
    `- **Writes** into ${BRANCHES} branches by ${WRITERS_PER_GATEWAY} writers a gateway: ${firstFull(writes, 'writes')} It finishes ${short(commits)} commits a second in all, and with more writers there are more in each, to ${short(commits * WRITES_MAX)} writes a second with ${WRITES_MAX} in each. More gateways change nothing.`,
  ];
}

/** Gateways are always full here, since their clients wait for nothing else: what counts is what more of them do not help with. */
function firstFull(fleet: ReadonlyMap<number, Predicted>, what: string): string {
  for (const [gateways, { used, perSecond }] of fleet) {
    const [name] = Object.entries(used).find(([station, part]) => station !== 'gateways' && part >= FULL) ?? [];
    if (name !== undefined)
      return `${name} is full first, from ${gateways} gateway${gateways === 1 ? '' : 's'} on (${short(perSecond)} ${what} a second).`;
  }
  return `nothing but the gateways is full, up to ${GATEWAYS.at(-1)} of them.`;
}
