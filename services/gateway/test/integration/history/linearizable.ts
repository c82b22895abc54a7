/** What one operation did to a key, or saw of it. A value is the name of a content; undefined: there is no object. */
export type Effect =
  | { readonly kind: 'write'; readonly value: string | undefined }
  | { readonly kind: 'read'; readonly value: string | undefined }
  /** Written only if there was no object. */
  | { readonly kind: 'create'; readonly value: string }
  /** Written, or removed, only over that value. */
  | { readonly kind: 'swap'; readonly over: string; readonly value: string | undefined }
  /** Seen that there is an object, whichever. */
  | { readonly kind: 'present' }
  /** Seen that there is an object with another value. */
  | { readonly kind: 'differs'; readonly from: string };

/** An operation on one key, from when it was called until it was answered, by one clock. */
export interface Operation {
  readonly calledAt: number;
  readonly answeredAt: number;
  readonly effect: Effect;
  /** Nobody knows whether it was done: it may be at any time after the call, or never. */
  readonly unsure: boolean;
}

interface Entry {
  readonly operation: number;
  readonly isCall: boolean;
  previous: Entry | undefined;
  next: Entry | undefined;
  /** Where the operation is answered; undefined where that says nothing. */
  readonly answer: Entry | undefined;
}

/** How many steps the search may take. A bound on the test's time: histories that are right need few. */
const STEPS_MAX = 5_000_000;

/**
 * Whether the operations on one key could have been done one at a time, each at some moment between its call and its answer, so
 * that each saw what the ones before it left. The key has no object at first. Source: Wing and Gong, "Testing and verifying
 * concurrent objects" (1993), with Lowe's memory of the situations that were seen to lead nowhere.
 */
export function isLinearizable(operations: readonly Operation[]): boolean {
  const seen = new Set(operations.flatMap(({ effect }) => seenBy(effect)));
  const isGuess = ({ effect, unsure }: Operation) => unsure && 'value' in effect && !seen.has(effect.value);
  // What nobody knows to be done and nobody saw is seldom needed, and each of it multiplies what there is to search.
  const likely = operations.filter((operation) => !isGuess(operation));
  if (canBeOrdered(likely)) return true;
  // Then which of them it was makes no difference.
  const blurred = operations.map((operation) =>
    isGuess(operation) ? { ...operation, effect: { ...operation.effect, value: UNSEEN } as Effect } : operation,
  );
  return likely.length < operations.length && canBeOrdered(blurred);
}

/** In place of any value that nobody saw. */
const UNSEEN = 'unseen';

function seenBy(effect: Effect): readonly (string | undefined)[] {
  switch (effect.kind) {
    case 'read':
      return [effect.value];
    case 'swap':
      return [effect.over];
    case 'differs':
      return [effect.from];
    case 'write':
    case 'create':
    case 'present':
      return [];
  }
}

function canBeOrdered(operations: readonly Operation[]): boolean {
  const head = entriesOf(operations);
  const done = new Uint8Array(operations.length);
  const twins = twinsOf(operations);
  const path: { readonly call: Entry; readonly before: string | undefined }[] = [];
  const seen = new Set<string>();
  let value: string | undefined;
  let entry = head.next;
  for (let step = 0; step < STEPS_MAX; step++) {
    // Whatever is left was never answered.
    if (entry === undefined) return true;
    if (entry.isCall) {
      const operation = operations[entry.operation];
      const after = apply(operation?.effect, value);
      // What may be left undone is not tried where it changes nothing, nor before the one that is called earlier and does the same.
      const twin = twins.get(entry.operation);
      const isIdle = operation?.unsure === true && after !== 'impossible' && after.value === value;
      if (after !== 'impossible' && !isIdle && (twin === undefined || done[twin] === 1)) {
        done[entry.operation] = 1;
        const situation = `${Buffer.from(done).toString('latin1')}${after.value ?? '-'}`;
        if (!seen.has(situation)) {
          seen.add(situation);
          path.push({ call: entry, before: value });
          value = after.value;
          lift(entry);
          entry = head.next;
          continue;
        }
        done[entry.operation] = 0;
      }
      entry = entry.next;
      continue;
    }
    // It was answered, so it must have been done by now: another order has to be tried.
    const last = path.pop();
    if (last === undefined) return false;
    value = last.before;
    done[last.call.operation] = 0;
    unlift(last.call);
    entry = last.call.next;
  }
  throw new Error(`nobody can tell within ${STEPS_MAX} steps`);
}

/** For each operation of which nobody knows whether it was done: the one called last before it of the same kind and effect. */
function twinsOf(operations: readonly Operation[]): ReadonlyMap<number, number> {
  const twins = new Map<number, number>();
  const last = new Map<string, number>();
  const unsure = [...operations.entries()].filter(([, operation]) => operation.unsure);
  for (const [index, { effect }] of unsure.sort(([, a], [, b]) => a.calledAt - b.calledAt)) {
    const key = JSON.stringify(effect);
    const twin = last.get(key);
    if (twin !== undefined) twins.set(index, twin);
    last.set(key, index);
  }
  return twins;
}

function apply(effect: Effect | undefined, value: string | undefined): { value: string | undefined } | 'impossible' {
  if (effect === undefined) return 'impossible';
  switch (effect.kind) {
    case 'write':
      return { value: effect.value };
    case 'read':
      return value === effect.value ? { value } : 'impossible';
    case 'create':
      return value === undefined ? { value: effect.value } : 'impossible';
    case 'swap':
      return value === effect.over ? { value: effect.value } : 'impossible';
    case 'present':
      return value !== undefined ? { value } : 'impossible';
    case 'differs':
      return value !== undefined && value !== effect.from ? { value } : 'impossible';
  }
}

/** Calls and answers in the order of time, behind a head. Of two at one moment the call comes first, which forbids less. */
function entriesOf(operations: readonly Operation[]): Entry {
  const events = operations.flatMap((operation, index) => {
    const answer: Entry | undefined = operation.unsure
      ? undefined
      : { operation: index, isCall: false, previous: undefined, next: undefined, answer: undefined };
    const call: Entry = { operation: index, isCall: true, previous: undefined, next: undefined, answer };
    return [
      { at: operation.calledAt, entry: call },
      ...(answer === undefined ? [] : [{ at: operation.answeredAt, entry: answer }]),
    ];
  });
  events.sort((a, b) => a.at - b.at || Number(b.entry.isCall) - Number(a.entry.isCall));
  const head: Entry = { operation: -1, isCall: true, previous: undefined, next: undefined, answer: undefined };
  let last = head;
  for (const { entry } of events) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

function lift(call: Entry): void {
  unlink(call);
  if (call.answer !== undefined) unlink(call.answer);
}

/** The reverse of `lift`: each entry still knows its neighbours. */
function unlift(call: Entry): void {
  if (call.answer !== undefined) relink(call.answer);
  relink(call);
}

function unlink(entry: Entry): void {
  if (entry.previous !== undefined) entry.previous.next = entry.next;
  if (entry.next !== undefined) entry.next.previous = entry.previous;
}

function relink(entry: Entry): void {
  if (entry.previous !== undefined) entry.previous.next = entry;
  if (entry.next !== undefined) entry.next.previous = entry;
}
