import {
  type Distribution,
  type Exemplar,
  type Family,
  labelsOfMore,
  SERIES_MAX,
  type Series,
  type Snapshot,
} from './registry.ts';

/** What a gateway counted: its workers together, and those that are no more. */
export interface Aggregate {
  /** What a worker counted so far. */
  heard(worker: number, snapshot: Snapshot): void;
  /** A worker has ended: what it counted stays counted, what it measured is over. */
  left(worker: number): void;
  total(): Snapshot;
}

export function createAggregate(families: readonly Family[]): Aggregate {
  const counted = new Set(families.filter(({ kind }) => kind !== 'gauge').map(({ name }) => name));
  const workers = new Map<number, Snapshot>();
  /** A count that went back would be taken for one that began anew. */
  let gone: Snapshot = {};

  return {
    heard: (worker, snapshot) => void workers.set(worker, snapshot),
    left(worker) {
      const last = workers.get(worker);
      workers.delete(worker);
      if (last === undefined) return;
      const kept = Object.fromEntries(Object.entries(last).filter(([name]) => counted.has(name)));
      gone = merge(families, [gone, kept]);
    },
    total: () => merge(families, [gone, ...workers.values()]),
  };
}

function merge(families: readonly Family[], snapshots: readonly Snapshot[]): Snapshot {
  return Object.fromEntries(
    families.map((family) => {
      const merged = new Map<string, Series>();
      for (const { labels, value } of snapshots.flatMap((snapshot) => snapshot[family.name] ?? [])) {
        add(family, merged, labels, value);
      }
      return [family.name, [...merged.values()]];
    }),
  );
}

/** Workers come and go, and each brings labels of its own: what would be too many is counted together, as in one worker. */
function add(family: Family, merged: Map<string, Series>, own: readonly string[], value: Series['value']): void {
  const isFull = merged.size >= SERIES_MAX && !merged.has(own.join('\n'));
  const labels = isFull ? labelsOfMore(own) : own;
  const key = labels.join('\n');
  const before = merged.get(key)?.value;
  merged.set(key, { labels, value: before === undefined ? value : together(family, before, value) });
}

function together(family: Family, one: Series['value'], other: Series['value']): Series['value'] {
  if (typeof one === 'object' && typeof other === 'object') return sumOf(one, other);
  if (typeof one === 'object' || typeof other === 'object') throw new TypeError(`${family.name} is of two kinds`);
  return family.kind === 'gauge' && family.over === 'max' ? Math.max(one, other) : one + other;
}

function sumOf(one: Distribution, other: Distribution): Distribution {
  const exemplars: Record<number, Exemplar> = { ...one.exemplars };
  for (const [bucket, exemplar] of Object.entries(other.exemplars)) {
    const known = exemplars[Number(bucket)];
    if (known === undefined || known.atMs < exemplar.atMs) exemplars[Number(bucket)] = exemplar;
  }
  return {
    counts: one.counts.map((count, at) => count + (other.counts[at] ?? 0)),
    sum: one.sum + other.sum,
    exemplars,
  };
}
