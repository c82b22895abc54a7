import { performance } from 'node:perf_hooks';
import { Metadata } from '@grpc/grpc-js';
import type { Channel } from './channel.ts';
import { toPachdError } from './errors.ts';

/** A pachd answers this without looking at anything, in 1 to 3 ms; one that needs longer than this does nothing else in time either. */
const DEADLINE_MS = 1_500;
/** An answer that came, but was not read for so long, says something about this process and not about pachd. */
const OWN_DELAY_MS = 500;
const SERVING = 1;

/** What a pachd says of itself; `unclear` where this process was too busy to hear it. */
export type Health =
  | { readonly kind: 'serving' | 'unclear' }
  | { readonly kind: 'going' | 'silent' | 'unreachable'; readonly why: string };

/** Asks the standard health service (grpc.health.v1, the server as a whole). Who answers without having that service, serves (gRPC, proposal A17). */
export function checkHealth(channel: Channel): Promise<Health> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    channel.health.check({ service: '' }, new Metadata(), { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
      if (!error) {
        resolve(
          answer.status === SERVING ? { kind: 'serving' } : { kind: 'going', why: 'says that it does not serve' },
        );
        return;
      }
      const { kind, message } = toPachdError('Check', error);
      if (kind === 'unavailable') resolve({ kind: 'unreachable', why: message });
      else if (kind !== 'deadline') resolve({ kind: 'serving' });
      else if (performance.now() - startedMs > DEADLINE_MS + OWN_DELAY_MS) resolve({ kind: 'unclear' });
      else resolve({ kind: 'silent', why: `does not answer within ${DEADLINE_MS} ms` });
    });
  });
}
