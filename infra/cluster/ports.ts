import { createServer } from 'node:net';

/** Below the range from which systems take ports for connections that go out, so that none of those gets in between. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES_MAX = 100;

/**
 * The first of some ports in a row that are free on 127.0.0.1 at this moment.
 * @throws Error when there is no such row
 */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const first = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
  throw new Error(`no ${count} ports in a row are free between ${LOWEST} and ${HIGHEST}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
