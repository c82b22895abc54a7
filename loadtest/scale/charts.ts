import {
  BALANCER_CORES,
  COLD_READERS_PER_GATEWAY,
  GATEWAYS,
  HOT_READERS_PER_GATEWAY,
  PACHDS,
  READERS_IN_ALL,
  WRITERS_PER_GATEWAY,
} from './assumed.ts';
import { type Chart, linearMarks, logMarks, type Series, svgOf } from './chart.ts';
import { coldCallsPer1000, type Predicted } from './model-reads.ts';
import type { Study } from './study.ts';

const BY_GATEWAYS = { title: 'gateways, each a worker with a core of its own', scale: 'log', marks: GATEWAYS } as const;
const COLOURS = ['a', 'b', 'c', 'd'] as const;

/** The plots of docs/scale.md, by file name. */
export function chartsOf(study: Study): ReadonlyMap<string, string> {
  const charts = {
    'hot-reads.svg': hotReads(study),
    'hot-reads-used.svg': used(study),
    'two-cores.svg': shared(study),
    'cold-reads.svg': coldReads(study),
    'writes.svg': writes(study),
    'pachd.svg': pachd(study),
  };
  return new Map(Object.entries(charts).map(([name, chart]) => [name, svgOf(chart)]));
}

function hotReads({ hot, costs }: Study): Chart {
  const of = (who: 'balancer' | 'redis') => costs.seconds(who, 1 / HOT_READERS_PER_GATEWAY);
  const series: readonly Series[] = [
    lineOf('model', 'a', hot),
    dotsOf('simulation', 'a', hot),
    level(`what a balancer of ${BALANCER_CORES} cores can do`, 'b', BALANCER_CORES / of('balancer')),
    level('what one Redis can do', 'c', 1 / of('redis')),
  ];
  return chart('Hot reads: who ends the growth', BY_GATEWAYS, 'reads a second', series);
}

function used({ hot }: Study): Chart {
  const names = ['gateways', 'balancer', 'Redis'];
  const series = names.map((name, at) => ({
    name,
    look: 'line' as const,
    colour: COLOURS[at] ?? 'a',
    points: [...hot].map(([gateways, { used }]) => [gateways, 100 * (used[name] ?? 0)] as const),
  }));
  const y = { title: 'in use, in percent', scale: 'linear', marks: [0, 25, 50, 75, 100] } as const;
  return { title: 'Hot reads: what of each is in use', x: BY_GATEWAYS, y, series };
}

function shared({ shared: rows }: Study): Chart {
  const readers = [...new Set(rows.map(({ row }) => row.readers))];
  const series = [...new Set(rows.map(({ row }) => row.workers))].flatMap((workers, at): readonly Series[] => {
    const own = rows.filter(({ row }) => row.workers === workers);
    const colour = COLOURS[at] ?? 'a';
    const name = `${workers} worker${workers === 1 ? '' : 's'}`;
    return [
      { name: `${name}, model`, look: 'line', colour, points: own.map(({ row, modelled }) => [row.readers, modelled]) },
      {
        name: `${name}, measured`,
        look: 'dots',
        colour,
        points: own.map(({ row }) => [row.readers, row.perSecond]),
      },
    ];
  });
  const x = { title: 'readers', scale: 'log', marks: readers } as const;
  const values = series.flatMap(({ points }) => points.map(([, reads]) => reads));
  const y = { title: 'reads a second', scale: 'linear', marks: linearMarks(values) } as const;
  return { title: 'Hot reads on cores that all programs share', x, y, series };
}

function coldReads({ cold }: Study): Chart {
  const series = PACHDS.flatMap((pachds, at): readonly Series[] => {
    const own = cold.get(pachds) ?? new Map();
    const name = pachds === 1 ? 'one pachd' : `${pachds} pachds`;
    return [lineOf(`${name}, model`, COLOURS[at] ?? 'a', own), dotsOf(`${name}, simulation`, COLOURS[at] ?? 'a', own)];
  });
  return chart('Cold reads: pachd ends the growth', BY_GATEWAYS, 'reads a second', series);
}

function writes({ writes: predicted }: Study): Chart {
  const series = [lineOf('model', 'a', predicted), dotsOf('simulation', 'a', predicted)];
  return chart('Writes: as many as the commits that pachd finishes can hold', BY_GATEWAYS, 'writes a second', series);
}

function pachd({ figures, hot, cold, writes: written }: Study): Chart {
  const inAll = coldCallsPer1000(figures, 'all');
  const callsOf = (name: string, colour: Series['colour'], predicted: ReadonlyMap<number, Predicted>): Series => ({
    name,
    look: 'line',
    colour,
    points: [...predicted].map(([gateways, { pachdPer1000 }]) => [gateways, pachdPer1000]),
  });
  const series: readonly Series[] = [
    callsOf('hot reads', 'a', hot),
    callsOf(`cold reads, ${COLD_READERS_PER_GATEWAY} readers a gateway`, 'b', cold.get(1) ?? new Map()),
    {
      name: `cold reads, ${READERS_IN_ALL} readers in all`,
      look: 'dashed',
      colour: 'b',
      points: GATEWAYS.map((gateways) => [gateways, inAll(gateways)]),
    },
    callsOf(`writes, ${WRITERS_PER_GATEWAY} writers a gateway`, 'c', written),
  ];
  return chart('What pachd is asked', BY_GATEWAYS, 'calls of pachd for 1000 requests', series);
}

function chart(title: string, x: Chart['x'], what: string, series: readonly Series[]): Chart {
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  return { title, x, y: { title: what, scale: 'log', marks: logMarks(values) }, series };
}

function lineOf(name: string, colour: Series['colour'], predicted: ReadonlyMap<number, Predicted>): Series {
  return { name, look: 'line', colour, points: [...predicted].map(([x, { perSecond }]) => [x, perSecond]) };
}

function dotsOf(name: string, colour: Series['colour'], predicted: ReadonlyMap<number, Predicted>): Series {
  const points = [...predicted].map(([x, { simulatedPerSecond }]) => [x, simulatedPerSecond] as const);
  return { name, look: 'dots', colour, points };
}

function level(name: string, colour: Series['colour'], value: number): Series {
  return { name, look: 'dashed', colour, points: GATEWAYS.map((gateways) => [gateways, value]) };
}
