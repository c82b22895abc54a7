import { Failure } from '../failure.ts';

/** How long a body may wait for its share of memory before its client is told to slow down. */
const WAIT_MS = 10_000;

export interface Budget {
  /** Takes a share, waiting for others to give theirs back. Gives what gives it back, which is to be called once. @throws Failure busy */
  take(bytes: number, signal: AbortSignal): Promise<() => void>;
  readonly usedBytes: () => number;
}

/** Bounds the bytes of bodies that a worker holds at once. Who came first is served first, so that a large share is not starved. */
export function createBudget(limitBytes: number): Budget {
  let used = 0;
  const waiting: { readonly bytes: number; readonly grant: () => void }[] = [];

  const give = (bytes: number) => {
    used -= bytes;
    for (let next = waiting[0]; next !== undefined && used + next.bytes <= limitBytes; next = waiting[0]) {
      waiting.shift();
      used += next.bytes;
      next.grant();
    }
  };

  return {
    usedBytes: () => used,
    async take(bytes, signal) {
      if (signal.aborted) throw new Failure('unavailable', 'the client went away');
      const share = Math.min(bytes, limitBytes);
      if (waiting.length === 0 && used + share <= limitBytes) used += share;
      else await wait(share, signal);
      return () => give(share);
    },
  };

  function wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = { bytes, grant };
      const timer = setTimeout(() => leave(new Failure('busy', 'the memory for bodies is taken')), WAIT_MS);
      const aborted = () => leave(new Failure('unavailable', 'the client went away'));
      signal.addEventListener('abort', aborted, { once: true });
      waiting.push(entry);

      function grant() {
        settle();
        resolve();
      }
      function leave(why: Failure) {
        settle();
        const at = waiting.indexOf(entry);
        if (at !== -1) waiting.splice(at, 1);
        reject(why);
        // Those behind it may fit where it did not.
        give(0);
      }
      function settle() {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
      }
    });
  }
}
