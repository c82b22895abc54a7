import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `late` after a time, unless it is told to stop before. Where this process itself stood still meanwhile, what came in during
 * that time is read first: the answer may be there already.
 */
export function startDeadline(ms: number, late: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(
    () => {
      // Timers come before what the network brings, immediates after it.
      immediate = setImmediate(late);
    },
    Math.max(0, ms),
  );
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/** @throws Error when it takes longer; what comes of it then is ignored */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let stop = (): void => {};
  const late = new Promise<never>((_, reject) => {
    stop = startDeadline(ms, () => reject(new Error(`no answer within ${Math.round(ms)} ms`)));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
  }
}

/** Waits, and less long when told to stop. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  // It rejects for no other reason.
  await delay(ms, undefined, { signal: stop }).catch(() => {});
}
