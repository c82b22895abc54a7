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
};

export interface RpcError {
  readonly code: status;
  readonly details: string;
}

/** UNKNOWN for a name that is not gRPC's. */
function codeNamed(name: string): status {
  return (new Map(Object.entries(status)).get(name) as status | undefined) ?? status.UNKNOWN;
}

/** What a client is told. A defect is told as INTERNAL, with its message. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof InjectedError) return { code: codeNamed(error.code), details: error.message };
  if (error instanceof PfsError) return { code: CODES[error.kind], details: error.message };
  return { code: status.INTERNAL, details: error instanceof Error ? `devpachd: ${error.message}` : 'devpachd: defect' };
}
