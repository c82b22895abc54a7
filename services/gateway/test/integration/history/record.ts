import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type Effect, isLinearizable, type Operation } from './linearizable.ts';
import { findStaleRead } from './stale.ts';

/**
 * Notes what an operation that was called before did to a key; `unsure`: whether it did is not known, or 'taken back': a conditional
 * write that lost to another may have been there for a moment, if its turn was lost between look and commit (docs/architecture.md, "Writes");
 * `seenWithinMs`: how much later than now others may see it.
 */
export type Note = (key: string, effect: Effect, unsure?: boolean | 'taken back', seenWithinMs?: number) => void;

/** All that clients did and saw, key by key. */
export interface Record {
  /** A content that nobody wrote before, of at least that size, and the value that stands for it. */
  newContent(sizeBytes: number): { readonly value: string; readonly content: Buffer };
  /** The value of a content that was read. @throws when it is not, byte for byte, a content that was made here. */
  valueOf(content: Uint8Array): string;
  /** @throws when the ETag stood for another value before */
  learnEtag(etag: string, value: string): void;
  /** The value of an ETag; undefined for one that no answer has told yet. */
  valueOfEtag(etag: string): string | undefined;
  /** Notes the call of an operation; the answer is noted with what it did to which keys. */
  call(): Note;
  /** The keys whose operations contradict each other, with all of them. */
  contradictions(): readonly { readonly key: string; readonly operations: readonly Operation[] }[];
  /** Every key that was written to or read. */
  keys(): readonly string[];
  /** How many operations are known to have been done. */
  known(): number;
}

export function startRecord(): Record {
  const keys = new Map<string, Operation[]>();
  const values = new Map<string, string>();
  const etags = new Map<string, string>();
  const takenBack = new Map<string, Operation[]>();
  let contents = 0;

  return {
    newContent(sizeBytes) {
      contents += 1;
      const value = `content ${contents}`;
      const content = Buffer.alloc(Math.max(sizeBytes, 16), `${value};`);
      values.set(digest(content), value);
      return { value, content };
    },
    valueOf(content) {
      const value = values.get(digest(content));
      if (value === undefined) {
        const start = Buffer.from(content.subarray(0, 40)).toString('latin1');
        throw new Error(`nobody wrote the ${content.length} bytes that begin with ${start}`);
      }
      return value;
    },
    learnEtag(etag, value) {
      const before = etags.get(etag);
      if (before !== undefined && before !== value)
        throw new Error(`the ETag ${etag} stands for ${before} and ${value}`);
      etags.set(etag, value);
    },
    valueOfEtag: (etag) => etags.get(etag),
    call() {
      const calledAt = performance.now();
      return (key, effect, unsure = false, seenWithinMs = 0) => {
        const operation = { calledAt, answeredAt: performance.now() + seenWithinMs, effect, unsure: unsure !== false };
        const notes = unsure === 'taken back' ? takenBack : keys;
        const list = notes.get(key);
        if (list === undefined) notes.set(key, [operation]);
        else list.push(operation);
      };
    },
    contradictions() {
      const told = (those: readonly (readonly [string, Operation[]])[]) =>
        those.map(([key, operations]) => ({
          key,
          operations: [...operations].sort((a, b) => a.calledAt - b.calledAt),
        }));
      // The plainest contradictions are found at once; to search for the others can take long.
      const lasting = [...keys].map(
        ([key, operations]) => [key, withoutTakenBack(operations, takenBack.get(key))] as const,
      );
      const stale = lasting.filter(([, operations]) => findStaleRead(operations) !== undefined);
      return told(stale.length > 0 ? stale : lasting.filter(([, operations]) => !isLinearizable(operations)));
    },
    keys: () => [...keys.keys()],
    known: () => [...keys.values()].reduce((sum, list) => sum + list.filter(({ unsure }) => !unsure).length, 0),
  };
}

/** What is left when nobody had seen what was taken back. Whoever saw an object, and not which, may have seen that one. */
function withoutTakenBack(operations: Operation[], lost: readonly Operation[] = []): Operation[] {
  const sees = ({ effect, calledAt, answeredAt }: Operation, write: Operation): boolean => {
    const isMeanwhile = calledAt < write.answeredAt && answeredAt > write.calledAt;
    if (effect.kind !== 'read') return isMeanwhile && (effect.kind === 'present' || effect.kind === 'differs');
    return isMeanwhile && 'value' in write.effect && write.effect.value === effect.value;
  };
  return operations.filter((operation) => !lost.some((write) => sees(operation, write)));
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64');
}
