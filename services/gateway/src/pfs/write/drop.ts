import type { Pachd } from '../../pachd/client.ts';
import { detached } from '../../pachd/model.ts';
import { type FailureKind, failureOf } from '../failure.ts';
import type { Submission } from './change.ts';

/** Of these it is not known whether the change was made, or is yet to be. */
const UNSURE: ReadonlySet<FailureKind> = new Set(['unavailable', 'busy', 'unexpected']);

/** pachd deletes no file set on demand, but it lets one end sooner than it would. This is the least that it takes. */
const TTL_SECONDS = 1;

/** Gives up the file sets of a submission that was refused for certain, so that refused bytes do not stay at pachd. */
export function dropIfRefused(pachd: Pachd, submission: Submission, error: unknown): void {
  const failure = failureOf(error);
  if (failure !== undefined && !UNSURE.has(failure.kind)) drop(pachd, submission);
}

/** Gives up the file sets of a submission that nothing was done for. */
export function drop(pachd: Pachd, { caller, changes }: Submission): void {
  for (const change of changes) {
    if (change.kind !== 'put' || change.content.kind !== 'file-set') continue;
    // What cannot be given up ends by itself: a staged set after ten minutes, a composed one after an hour.
    pachd.renewFileSet(detached(caller), change.content.fileSetId, TTL_SECONDS).catch(() => {});
  }
}
