import { GATEWAYS, PACHDS, READERS_IN_ALL } from './assumed.ts';
import { type ColdReads, type Figures, type HotReads, type Taken, WHO, type Writes } from './figures.ts';
import {
  coldCallsPer1000,
  FITTED_WORKERS,
  type HotCosts,
  hotCosts,
  type Predicted,
  predictCold,
  predictHot,
  predictShared,
} from './model-reads.ts';
import { predictFleetWrites, predictRounds } from './model-writes.ts';

/** What was measured on cores that all programs share, beside what the model and the simulation make of it. */
interface Shared {
  readonly row: HotReads;
  readonly modelled: number;
  readonly simulatedPerSecond: number;
  /** The model was not fitted to it. */
  readonly heldOut: boolean;
}

/** All that follows from the figures. */
export interface Study {
  readonly figures: Figures;
  readonly costs: HotCosts;
  /** What the model makes of the machine that the figures were taken on. */
  readonly shared: readonly Shared[];
  readonly coldCalls: readonly { readonly row: ColdReads; readonly modelled: number }[];
  /** The model knows of no cores: where none was to spare, they may be what bounds the writes. */
  readonly rounds: readonly { readonly row: Writes; readonly modelled: number; readonly coresToSpare: boolean }[];
  /** And of fleets with machines of their own, by gateways. */
  readonly hot: ReadonlyMap<number, Predicted>;
  readonly cold: ReadonlyMap<number, ReadonlyMap<number, Predicted>>;
  readonly writes: ReadonlyMap<number, Predicted>;
}

/** Less than that of two cores is none. */
const SPARE_CORES = 0.1;

export function studyOf(figures: Figures): Study {
  const costs = hotCosts(figures);
  const callsOf = { all: coldCallsPer1000(figures, 'all'), each: coldCallsPer1000(figures, 'each') };
  return {
    figures,
    costs,
    shared: figures.hotReads.map((row) => {
      const { perSecond, simulatedPerSecond } = predictShared(costs, row, coresLeft(figures, row));
      return { row, modelled: perSecond, simulatedPerSecond, heldOut: row.workers > FITTED_WORKERS };
    }),
    coldCalls: figures.coldReads
      .filter(({ order }) => order === 'any')
      .map((row) => ({ row, modelled: callsOf[row.readers === READERS_IN_ALL ? 'all' : 'each'](row.workers) })),
    // Nothing of these was fitted: they follow from what was recorded at a real pachd.
    rounds: figures.writes
      .filter(({ spread }) => spread === 'by branch')
      .map((row) => {
        const ownCores = (WHO.reduce((sum, who) => sum + row.costUs[who], 0) * row.perSecond) / 1_000_000;
        const { perSecond } = predictRounds(row.writers, row.branches);
        return { row, modelled: perSecond, coresToSpare: coresLeft(figures, row) - ownCores > SPARE_CORES };
      }),
    hot: byGateways((gateways) => predictHot(costs, gateways)),
    cold: new Map(PACHDS.map((pachds) => [pachds, byGateways((gateways) => predictCold(figures, gateways, pachds))])),
    writes: byGateways((gateways) => predictFleetWrites(figures, gateways)),
  };
}

/** What others left of the machine; more than nothing, whatever the kernel's clock ticks say. */
export function coresLeft({ cores }: Figures, { coresOfOthers }: Taken): number {
  return Math.max(0.1, cores - coresOfOthers);
}

function byGateways<T>(predict: (gateways: number) => T): ReadonlyMap<number, T> {
  return new Map(GATEWAYS.map((gateways) => [gateways, predict(gateways)]));
}
