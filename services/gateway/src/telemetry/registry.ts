/**
 * What a process counts. Made for the hot path: a counter is a number in an object that its user may hold, a histogram an array of them;
 * nothing is allocated, locked or looked up but the series of a few labels. Reading it out costs what it has to.
 */

export type Family = Described &
  (
    | { readonly kind: 'counter' }
    /** `over` workers: their sum, or the largest. */
    | { readonly kind: 'gauge'; readonly over: 'sum' | 'max' }
    /** `bounds`: the upper bounds of its buckets, ascending, both inclusive. */
    | { readonly kind: 'histogram'; readonly bounds: readonly number[] }
  );

interface Described {
  /** As Prometheus has it: the unit is last, and `_total` after it for a counter. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** One measurement of a bucket that can be looked into. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  readonly atMs: number;
}

export interface Distribution {
  /** Of each bucket by itself; the last is what is above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
  /** By bucket, where there is one. */
  readonly exemplars: Readonly<Record<number, Exemplar>>;
}

export interface Series {
  /** The values of the family's labels, in their order. */
  readonly labels: readonly string[];
  readonly value: number | Distribution;
}

/** All that was counted, by family. It goes between processes as JSON. */
export type Snapshot = Readonly<Record<string, readonly Series[]>>;

export interface Counter {
  add(by?: number): void;
}

export interface Histogram {
  /** @param traceId of a trace that is kept, where there is one */
  observe(value: number, traceId?: string): void;
}

/** The series of a family, by its labels. */
export type Of<S> = (...labels: readonly string[]) => S;

/** Series of one family; what would be more is counted together, under this label. */
export const SERIES_MAX = 2_000;
const OTHER = 'other';

/** Those that stand for all others of a family. */
export function labelsOfMore(labels: readonly string[]): readonly string[] {
  return labels.map(() => OTHER);
}

export interface Registry {
  counter(name: string, help: string, labels?: readonly string[]): Of<Counter>;
  histogram(name: string, help: string, bounds: readonly number[], labels?: readonly string[]): Of<Histogram>;
  families(): readonly Family[];
  snapshot(): Snapshot;
}

export function createRegistry(): Registry {
  const families: Family[] = [];
  const readers = new Map<string, () => readonly Series[]>();

  const add = (family: Family, read: () => readonly Series[]): void => {
    if (readers.has(family.name)) throw new Error(`two metrics are called ${family.name}`);
    families.push(family);
    readers.set(family.name, read);
  };

  return {
    counter(name, help, labels = []) {
      const { of, all } = seriesOf(labels, counter);
      add({ kind: 'counter', name, help, labels }, all);
      return of;
    },
    histogram(name, help, bounds, labels = []) {
      const { of, all } = seriesOf(labels, () => histogram(bounds));
      add({ kind: 'histogram', name, help, labels, bounds }, all);
      return of;
    },
    families: () => families,
    snapshot: () => Object.fromEntries([...readers].map(([name, read]) => [name, read()])),
  };
}

interface Read {
  read(): Series['value'];
}

function seriesOf<S extends Read>(labels: readonly string[], make: () => S) {
  const series = new Map<string, { readonly labels: readonly string[]; readonly one: S }>();
  const of = (...values: readonly string[]): S => {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n');
    const known = series.get(key);
    if (known !== undefined) return known.one;
    if (series.size >= SERIES_MAX && values[0] !== OTHER) return of(...labelsOfMore(labels));
    const one = make();
    series.set(key, { labels: values, one });
    return one;
  };
  // Without labels it is there from the beginning: a zero says that nothing happened, and nothing says nothing.
  if (labels.length === 0) of();
  const all = () => [...series.values()].map(({ labels: values, one }) => ({ labels: values, value: one.read() }));
  return { of, all };
}

function counter(): Counter & Read {
  let value = 0;
  return {
    add(by = 1) {
      value += by;
    },
    read: () => value,
  };
}

function histogram(bounds: readonly number[]): Histogram & Read {
  const counts = new Float64Array(bounds.length + 1);
  const exemplars: Record<number, Exemplar> = {};
  let sum = 0;
  return {
    observe(value, traceId) {
      let at = 0;
      while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += value;
      if (traceId !== undefined) exemplars[at] = { traceId, value, atMs: Date.now() };
    },
    read: () => ({ counts: [...counts], sum, exemplars: { ...exemplars } }),
  };
}
