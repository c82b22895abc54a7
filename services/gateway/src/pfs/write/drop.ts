import type { Disposal } from '../disposal.ts';
import { type FailureKind, failureOf } from '../failure.ts';
import type { Submission } from './change.ts';

/** Of these it is not known whether the change was made, or is yet to be. */
const UNSURE: ReadonlySet<FailureKind> = new Set(['unavailable', 'busy', 'unexpected']);

/** Gives up the file sets of a submission that was refused for certain, so that refused bytes do not stay at pachd. */
export function dropIfRefused(disposal: Disposal, submission: Submission, error: unknown): void {
  const failure = failureOf(error);
  if (failure !== undefined && !UNSURE.has(failure.kind)) drop(disposal, submission);
}

/** Gives up the file sets of a submission that nothing was done for. */
export function drop(disposal: Disposal, { caller, changes }: Submission): void {
  const fileSetIds = changes.flatMap((change) =>
    change.kind === 'put' && change.content.kind === 'file-set' ? [change.content.fileSetId] : [],
  );
  disposal.drop(caller, fileSetIds);
}
