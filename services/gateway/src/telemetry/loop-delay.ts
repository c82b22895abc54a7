import { performance } from 'node:perf_hooks';
import { loopDelaySeconds } from './metrics.ts';

const EVERY_MS = 100;

/** Looks again and again how late this process comes to what is due. It holds up nobody's end. */
export function watchLoopDelay(): void {
  const delay = loopDelaySeconds();
  let dueMs = performance.now() + EVERY_MS;
  setInterval(() => {
    const nowMs = performance.now();
    delay.observe(Math.max(0, nowMs - dueMs) / 1_000);
    dueMs = nowMs + EVERY_MS;
  }, EVERY_MS).unref();
}
