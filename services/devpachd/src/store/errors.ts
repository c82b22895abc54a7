/** What went wrong, in the closed set of outcomes that pachd's calls have. */
export type ErrorKind =
  | 'unknown'
  | 'notFound'
  | 'alreadyExists'
  | 'invalidArgument'
  | 'failedPrecondition'
  | 'permissionDenied'
  | 'unauthenticated'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'cancelled'
  | 'aborted';

/** A refusal with pachd's own text. Everything else that is thrown is a defect of devpachd. */
export class PfsError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PfsError';
    this.kind = kind;
  }
}

/** The most usual refusal: pachd gives most of its errors no code of their own. */
export function refused(message: string): PfsError {
  return new PfsError('unknown', message);
}

export function notFound(message: string): PfsError {
  return new PfsError('notFound', message);
}

/** The same refusal with `prefix: ` in front, as pachd builds its chains of messages. */
export function prefixed(prefix: string, error: unknown): unknown {
  return error instanceof PfsError ? new PfsError(error.kind, `${prefix}: ${error.message}`, { cause: error }) : error;
}

/** Runs `work`; a refusal in it is thrown on with `prefix: ` in front. */
export function within<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw prefixed(prefix, error);
  }
}
