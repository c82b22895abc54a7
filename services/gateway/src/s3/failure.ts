import { type FailureKind, failureOf } from '../pfs/failure.ts';
import { S3Error, type S3ErrorCode } from './errors.ts';
import { BodyAborted, BodyStalled } from './http.ts';

/** The S3 error of each failure of the domain, and whether its message is for the client. */
const OF_DOMAIN: Record<FailureKind, readonly [code: S3ErrorCode, message: 'told' | 'kept']> = {
  'no-such-bucket': ['NoSuchBucket', 'kept'],
  'no-such-key': ['NoSuchKey', 'kept'],
  'no-such-version': ['NoSuchVersion', 'kept'],
  'no-such-upload': ['NoSuchUpload', 'kept'],
  'invalid-bucket-name': ['InvalidBucketName', 'told'],
  'invalid-key': ['InvalidFilePath', 'told'],
  'invalid-part': ['InvalidPart', 'kept'],
  'invalid-part-order': ['InvalidPartOrder', 'kept'],
  'part-too-small': ['EntityTooSmall', 'kept'],
  'object-too-large': ['EntityTooLarge', 'kept'],
  'bucket-exists': ['BucketAlreadyExists', 'kept'],
  'bucket-owned-by-you': ['BucketAlreadyOwnedByYou', 'kept'],
  'bucket-not-empty': ['BucketNotEmpty', 'kept'],
  'bucket-in-use': ['InvalidBucketState', 'kept'],
  'commit-is-read-only': ['MethodNotAllowed', 'told'],
  'output-branch': ['WriteToOutputBranch', 'kept'],
  collision: ['ObjectNameConflict', 'told'],
  'precondition-failed': ['PreconditionFailed', 'kept'],
  conflict: ['ConditionalRequestConflict', 'kept'],
  denied: ['AccessDenied', 'kept'],
  'unknown-token': ['InvalidAccessKeyId', 'kept'],
  busy: ['SlowDown', 'kept'],
  unavailable: ['ServiceUnavailable', 'kept'],
  unsupported: ['NotImplemented', 'kept'],
  unexpected: ['InternalError', 'kept'],
};

const RETRY_AFTER_SECONDS = '1';

/** The error that a client is told for whatever was thrown. What nobody expected is an InternalError, and keeps its cause for the log. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof BodyStalled) return new S3Error('RequestTimeout', { cause: error });
  if (error instanceof BodyAborted) return new S3Error('IncompleteBody', { cause: error });
  const failure = failureOf(error);
  if (failure === undefined) return new S3Error('InternalError', { cause: error });
  const [code, told] = OF_DOMAIN[failure.kind];
  // What pachd says is for the log: it names calls and paths of its own.
  const message = failure.cause === undefined ? told : 'kept';
  return new S3Error(code, {
    cause: failure,
    ...(message === 'told' ? { message: failure.message } : {}),
    ...(code === 'SlowDown' || code === 'ServiceUnavailable'
      ? { headers: [['Retry-After', RETRY_AFTER_SECONDS]] }
      : {}),
  });
}
