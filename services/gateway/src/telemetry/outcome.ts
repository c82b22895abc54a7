/** What became of a request. */
export interface Outcome extends Begun {
  readonly operation: string;
  /** Empty: it asked for none, or nobody could tell. */
  readonly target: Target;
  /** Of a trace that is kept; undefined: there is none. */
  readonly traceId: string | undefined;
  readonly status: number;
  /** The S3 error's; undefined: there is none. */
  readonly code: string | undefined;
  readonly cause: unknown;
  readonly bytesOut: number;
  /** From its head to its answer's head, and to that one's last byte. */
  readonly answerMs: number;
  readonly totalMs: number;
}

export interface Begun {
  readonly requestId: string;
  /** What the request was called before it came here (X-Request-Id); undefined: nothing that may stand in a log. */
  readonly sentId: string | undefined;
  readonly method: string;
  /** Without the query, in which credentials may stand. */
  readonly rawPath: string;
  /** As announced. */
  readonly bytesIn: number;
}

export interface Target {
  readonly bucket?: string;
  readonly key?: string;
}

export type Observer = (outcome: Outcome) => void;

/** The code of an answer that breaks off on this side. */
export const CUT_SHORT = 'CutShort';

/** Whether it went wrong on this side of the wire. What is not implemented is none. */
export function isFault(status: number, code: string | undefined): boolean {
  return (status >= 500 && status !== 501) || code === CUT_SHORT;
}
