/** A second question where the first is slow. Source: Dean and Barroso, The Tail at Scale, CACM 56 (2013), hedged requests. */

/** Answers of each name that are remembered, and how many it takes to know what is usual. */
const REMEMBERED = 100;
const KNOWN_FROM = 20;
/** A question that is later than this part of the last ones is asked a second time. */
const QUANTILE = 0.95;
/** Until it is known what is usual, and the bounds of it. Below the least, a second question would come too late to help. */
const UNKNOWN_MS = 200;
const LEAST_MS = 20;
const MOST_MS = 1_000;

/** How long answers take, by the name of the call. */
export interface Tempo {
  /** After how many milliseconds without an answer a second one is worth asking. */
  patienceMs(name: string): number;
  note(name: string, tookMs: number): void;
}

export function createTempo(): Tempo {
  const windows = new Map<string, { readonly tookMs: number[]; next: number; patienceMs: number }>();
  return {
    patienceMs: (name) => windows.get(name)?.patienceMs ?? UNKNOWN_MS,
    note(name, tookMs) {
      const window = windows.get(name) ?? { tookMs: [], next: 0, patienceMs: UNKNOWN_MS };
      windows.set(name, window);
      window.tookMs[window.next] = tookMs;
      window.next = (window.next + 1) % REMEMBERED;
      // What is usual does not change with each answer.
      if (window.next % KNOWN_FROM !== 0) return;
      const sorted = window.tookMs.toSorted((a, b) => a - b);
      const usual = sorted[Math.floor(QUANTILE * (sorted.length - 1))] ?? UNKNOWN_MS;
      window.patienceMs = Math.min(MOST_MS, Math.max(LEAST_MS, usual));
    },
  };
}

/** A question that is on its way. */
export interface Sent<T> {
  readonly answer: Promise<T>;
  cancel(): void;
}

export interface Hedge<T> {
  readonly patienceMs: number;
  /** Asks a second time; undefined where that is not possible now. */
  readonly again: () => Sent<T> | undefined;
  /** Whether an error is an answer; if not, the other question is waited for. */
  readonly isAnswer: (error: unknown) => boolean;
  /** Told of the first whether it answered within the patience, or the second before it. Nothing where it was late and yet the faster, or alone. */
  readonly onPrompt: () => void;
  readonly onOvertaken: () => void;
}

/** The first answer of one question or two; the other one is cancelled. @throws what the answer, or the last failure, throws */
export function firstAnswer<T>(first: Sent<T>, hedge: Hedge<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let second: Sent<T> | undefined;
    let waitingFor = 1;
    let late = false;
    let settled = false;

    const settle = (by: Sent<T>, deliver: () => void) => {
      // The one that is cancelled answers as well, that it was.
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (by === second) hedge.onOvertaken();
      else if (!late) hedge.onPrompt();
      (by === first ? second : first)?.cancel();
      deliver();
    };
    const listen = (to: Sent<T>) =>
      to.answer.then(
        (value) => settle(to, () => resolve(value)),
        (error: unknown) => {
          waitingFor -= 1;
          if (hedge.isAnswer(error)) settle(to, () => reject(error));
          else if (waitingFor === 0) {
            clearTimeout(timer);
            reject(error);
          }
        },
      );
    const timer = setTimeout(() => {
      late = true;
      second = hedge.again();
      if (second === undefined) return;
      waitingFor += 1;
      void listen(second);
    }, hedge.patienceMs);
    void listen(first);
  });
}
