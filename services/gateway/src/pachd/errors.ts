import { type ServiceError, status } from '@grpc/grpc-js';

/** What can go wrong at pachd, as a small closed set: the only place that knows gRPC codes and pachd's sentences. */
export type PachdErrorKind =
  | 'project-not-found'
  | 'repo-not-found'
  | 'branch-not-found'
  | 'commit-not-found'
  | 'file-not-found'
  | 'file-set-gone'
  | 'already-exists'
  | 'auth-off'
  | 'bad-token'
  | 'denied'
  | 'commit-finished'
  | 'commit-unfinished'
  | 'collision'
  | 'output-branch'
  | 'invalid-name'
  | 'invalid-path'
  | 'canceled'
  | 'deadline'
  | 'overloaded'
  | 'unavailable'
  | 'unimplemented'
  | 'unexpected';

/**
 * How far a call got. 'none': it never went out. 'broken': its connection broke under it, so nobody knows; its server may have died of
 * it. 'abandoned': its pachd fell silent, and it was given up here. 'answered': everything else.
 */
export type Delivery = 'none' | 'broken' | 'abandoned' | 'answered';

export class PachdError extends Error {
  override readonly name = 'PachdError';
  readonly kind: PachdErrorKind;
  readonly call: string;
  readonly delivery: Delivery;
  /** gRPC's own, for those who look at traces; undefined: there was no answer that had one. */
  readonly statusCode: number | undefined;

  constructor(
    kind: PachdErrorKind,
    call: string,
    text: string,
    cause?: unknown,
    delivery: Delivery = 'answered',
    statusCode?: number,
  ) {
    super(`${call}: ${text}`, cause === undefined ? undefined : { cause });
    this.statusCode = statusCode;
    this.kind = kind;
    this.call = call;
    this.delivery = delivery;
  }
}

/**
 * pachd says most refusals as UNKNOWN with a sentence, and puts the sentences of inner calls in front of or below it, so the
 * sentence is looked at first and anywhere in the text. In this order: the first that fits is the most telling.
 */
const SENTENCES: readonly (readonly [RegExp, PachdErrorKind])[] = [
  // Before all others: the path may be anything, also what another sentence says.
  [/file \/.* not found in repo \S+ at commit/, 'file-not-found'],
  [/the auth service is not activated/, 'auth-off'],
  [/no authentication token|provided auth token is corrupted|token expiration is in the past/, 'bad-token'],
  [/is not authorized to perform this operation/, 'denied'],
  [/no role binding exists for REPO /, 'repo-not-found'],
  [/file \/ directory path collision|duplicate path output by different datums/, 'collision'],
  [/output branch/, 'output-branch'],
  // Of a path within it pachd says it in other words.
  [/tracker does not contain item|path does not exist|dangling reference/, 'file-set-gone'],
  [/project "?[^"\s]*"? not found/, 'project-not-found'],
  [/branch "[^"]*" not found in repo/, 'branch-not-found'],
  [/commit \S+@\S+ not found/, 'commit-not-found'],
  [/repo (?:\S+|\(id=[^)]*\)) not found/, 'repo-not-found'],
  [/branch \(id=[^)]*\) not found/, 'branch-not-found'],
  [/has already finished/, 'commit-finished'],
  [/has not been finished|base commit \S+ for commit \S+ unfinished|resulted in rollback/, 'commit-unfinished'],
  [/does not contain item: \(/, 'file-not-found'],
  [/name \(.*\) invalid|only alphanumeric|must be alphanumeric/, 'invalid-name'],
  [/path \(.*\) invalid|invalid path|globbing|printable ASCII/i, 'invalid-path'],
  [/context deadline exceeded/, 'deadline'],
  [/already exists/, 'already-exists'],
];

/** What the library says of a call that never left: @grpc/grpc-js, its pickers and load-balancing-call. */
const NEVER_SENT =
  /^No connection established|^Channel closed before call started|^Failed to start HTTP\/2 stream|^Stream refused by server/;
const CLOSED_CHANNEL = 'Channel has been shut down';
/** And of one whose stream ended without a status: its subchannel-call. */
const BROKEN_CONNECTION =
  /^Connection dropped|^Received RST_STREAM|Session closed with error|triggered by internal client error|\b(ECONNRESET|ETIMEDOUT|EPIPE)\b/;

const BY_CODE: Partial<Record<status, PachdErrorKind>> = {
  [status.ALREADY_EXISTS]: 'already-exists',
  [status.UNAUTHENTICATED]: 'bad-token',
  [status.PERMISSION_DENIED]: 'denied',
  [status.CANCELLED]: 'canceled',
  [status.DEADLINE_EXCEEDED]: 'deadline',
  [status.RESOURCE_EXHAUSTED]: 'overloaded',
  [status.UNAVAILABLE]: 'unavailable',
  [status.UNIMPLEMENTED]: 'unimplemented',
};

/** Makes a PachdError of what a stub threw. `call` is the method's name, for the log. */
export function toPachdError(call: string, error: unknown): PachdError {
  if (error instanceof PachdError) return error;
  if (error instanceof Error && error.message === CLOSED_CHANNEL) {
    return new PachdError('unavailable', call, error.message, error, 'none');
  }
  if (!isServiceError(error)) return new PachdError('unexpected', call, String(error), error);
  return fromStatus(call, error.code, error.details, error);
}

/** Makes a PachdError of a gRPC status and its message. */
export function fromStatus(call: string, code: number, text: string, cause?: unknown): PachdError {
  // A file that is not there comes with no sentence at all.
  if (code === status.NOT_FOUND && text === '') {
    return new PachdError('file-not-found', call, 'not found', cause, 'answered', code);
  }
  // A connection that breaks under a call, or just before it, is INTERNAL to the library now and then.
  if (code === status.INTERNAL || code === status.UNAVAILABLE) {
    const delivery = NEVER_SENT.test(text) ? 'none' : BROKEN_CONNECTION.test(text) ? 'broken' : 'answered';
    if (delivery !== 'answered') return new PachdError('unavailable', call, text, cause, delivery, code);
  }
  // The transport's own faults are told by their code, whatever words a server has put into them.
  const transport = code === status.UNAVAILABLE || code === status.CANCELLED || code === status.DEADLINE_EXCEEDED;
  const said = transport ? undefined : SENTENCES.find(([pattern]) => pattern.test(text))?.[1];
  return new PachdError(
    said ?? BY_CODE[code as status] ?? 'unexpected',
    call,
    `${status[code] ?? code} ${text}`,
    cause,
    'answered',
    code,
  );
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

export function isPachdError(error: unknown, ...kinds: readonly PachdErrorKind[]): error is PachdError {
  return error instanceof PachdError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Whether an error tells of who asked, and not of what was asked for: another may get an answer. */
export function isOfCaller(error: unknown): boolean {
  return isPachdError(error, 'bad-token', 'denied');
}
