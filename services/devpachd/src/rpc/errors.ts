import { status } from '@grpc/grpc-js';
import { InjectedError } from '../faults/faults.ts';
import { type ErrorKind, PfsError } from '../store/errors.ts';

const CODES: Readonly<Record<ErrorKind, status>> = {
  unknown: status.UNKNOWN,
  notFound: status.NOT_FOUND,
  alreadyExists: status.ALREADY_EXISTS,
  invalidArgument: status.INVALID_ARGUMENT,
  failedPrecondition: status.FAILED_PRECONDITION,
  permissionDenied: status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  cancelled: status.CANCELLED,
  aborted: status.ABORTED,
};

export interface RpcError {
  readonly code: status;
  readonly details: string;
}

/** UNKNOWN for a name that is not gRPC's. */
function codeNamed(name: string): status {
  return (new Map(Object.entries(status)).get(name) as status | undefined) ?? status.UNKNOWN;
}

/** An answer whose text is longer than a client takes headers never arrives. Texts are sent with three bytes for what is not plain ASCII. */
const DETAILS_MAX_BYTES = 48_000;

/** A text that names what was asked for, however long that was, is told by its beginning and its end. */
function shortened(text: string): string {
  const sentBytes = Buffer.byteLength(text) + 2 * Buffer.byteLength(text.replace(/[ -~]+/g, ''));
  if (sentBytes <= DETAILS_MAX_BYTES) return text;
  const kept = DETAILS_MAX_BYTES / 12;
  return `${text.slice(0, kept)} ... ${text.slice(-kept)}`;
}

/** What a client is told. A defect is told as INTERNAL, with its message. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof InjectedError) return { code: codeNamed(error.code), details: error.message };
  if (error instanceof PfsError) return { code: CODES[error.kind], details: shortened(error.message) };
  return { code: status.INTERNAL, details: error instanceof Error ? `devpachd: ${error.message}` : 'devpachd: defect' };
}
