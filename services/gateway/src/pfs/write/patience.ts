import { setTimeout } from 'node:timers/promises';
import { isPachdError } from '../../pachd/errors.ts';

/** How long what becomes of a write is asked for, while pachd cannot be reached. */
const PATIENCE_MS = 10_000;
const AGAIN_MS = 100;

/**
 * Asks again while pachd cannot be reached: a write that is committed is not to be left half judged or half answered because a pachd
 * died at that moment. Only for what may be done twice. @throws what `ask` throws, when patience is at its end or asking again is no use
 */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const endMs = Date.now() + PATIENCE_MS; ; await setTimeout(AGAIN_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (!isPachdError(error, 'unavailable', 'deadline') || Date.now() > endMs) throw error;
    }
  }
}
