import type { Operation } from './linearizable.ts';

/** A read of what others had overwritten before it was asked for. */
export interface StaleRead {
  readonly read: Operation;
  readonly overwrittenBy: Operation;
}

/**
 * The plainest contradiction, which is found without trying orders. Each value is written once, so what is overwritten does not come back.
 * undefined: there is none; the operations may contradict each other all the same.
 */
export function findStaleRead(operations: readonly Operation[]): StaleRead | undefined {
  const writes = operations.filter(({ effect }) => 'value' in effect && effect.kind !== 'read');
  const reads = operations.filter(({ effect }) => effect.kind === 'read');
  const valueIn = ({ effect }: Operation) => ('value' in effect ? effect.value : undefined);

  /** By when a write has been done: when it was answered, or seen. */
  const doneBy = new Map<Operation, number>();
  for (const write of writes) {
    const value = valueIn(write);
    const seen = value === undefined ? [] : reads.filter((read) => valueIn(read) === value);
    const answers = [...(write.unsure ? [] : [write]), ...seen].map(({ answeredAt }) => answeredAt);
    doneBy.set(write, Math.min(Number.POSITIVE_INFINITY, ...answers));
  }
  const by = (write: Operation) => doneBy.get(write) ?? Number.POSITIVE_INFINITY;
  const isBefore = (one: Operation, other: Operation) => by(one) < other.calledAt;

  for (const read of reads) {
    const value = valueIn(read);
    const source = writes.filter((write) => valueIn(write) === value && write.calledAt < read.answeredAt);
    const overwrittenBy = writes.find(
      (write) =>
        valueIn(write) !== value &&
        by(write) < read.calledAt &&
        // There is no object before the first write; else something must have made it what was read.
        (value === undefined || source.length > 0) &&
        source.every((one) => isBefore(one, write)),
    );
    if (overwrittenBy !== undefined) return { read, overwrittenBy };
  }
  return undefined;
}
