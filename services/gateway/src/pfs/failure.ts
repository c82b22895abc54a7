import { CacheLost } from '../cache/script.ts';
import { PachdError, type PachdErrorKind } from '../pachd/errors.ts';

/** What can go wrong in the domain, as a small closed set. The protocol gives each its S3 error. */
export type FailureKind =
  | 'no-such-bucket'
  | 'no-such-key'
  | 'no-such-version'
  | 'no-such-upload'
  | 'invalid-bucket-name'
  | 'invalid-key'
  | 'invalid-part'
  | 'invalid-part-order'
  | 'part-too-small'
  | 'object-too-large'
  | 'bucket-exists'
  | 'bucket-owned-by-you'
  | 'bucket-not-empty'
  | 'bucket-in-use'
  | 'commit-is-read-only'
  | 'output-branch'
  | 'collision'
  | 'precondition-failed'
  | 'conflict'
  | 'denied'
  | 'unknown-token'
  | 'busy'
  | 'unavailable'
  | 'unsupported'
  | 'unexpected';

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** The refusal to write into a bucket that is a commit which is not open, or not any more. */
export function finishedCommit(): Failure {
  return new Failure('commit-is-read-only', 'A finished commit cannot be changed; write to its branch.');
}

/** What a fault of pachd means where nobody knew better on its way up. */
const OF_PACHD: Record<PachdErrorKind, FailureKind> = {
  'project-not-found': 'no-such-bucket',
  'repo-not-found': 'no-such-bucket',
  'branch-not-found': 'no-such-bucket',
  'commit-not-found': 'no-such-version',
  'file-not-found': 'no-such-key',
  'file-set-gone': 'unavailable',
  'already-exists': 'bucket-exists',
  'auth-off': 'unexpected',
  'bad-token': 'unknown-token',
  denied: 'denied',
  'commit-finished': 'conflict',
  'commit-unfinished': 'unavailable',
  collision: 'collision',
  'output-branch': 'output-branch',
  'invalid-name': 'invalid-bucket-name',
  'invalid-path': 'invalid-key',
  canceled: 'unavailable',
  deadline: 'busy',
  overloaded: 'busy',
  unavailable: 'unavailable',
  // A pachd that is older than the call.
  unimplemented: 'unsupported',
  unexpected: 'unexpected',
};

/** The failure that an error of the domain, of pachd or of the shared cache stands for; undefined for any other, which is a fault of tusk. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (error instanceof PachdError) return new Failure(OF_PACHD[error.kind], error.message, error);
  if (error instanceof CacheLost) return new Failure('unavailable', error.message, error);
  return undefined;
}
