/** What a connection may cost, and for how long. */
export interface EdgeLimits {
  /** Unread bytes of a body past which its socket is paused. What was read in the same turn, up to 512 KiB, comes on top. */
  readonly bodyWindowBytes: number;
  /** For how long a reader of a body waits for its next bytes before BodyStalled. */
  readonly bodyIdleTimeoutMs: number;
  /** For how long a client may take nothing of an answer that waits for it. */
  readonly responseIdleTimeoutMs: number;
  /** How much of a body that nobody wants is taken off the socket, to keep the connection; past it the connection is given up. */
  readonly discardMaxBytes: number;
  /** For how long an answer may be held back to take such a body first. */
  readonly discardTimeoutMs: number;
  /** For how long drained connections that are idle may take to go by themselves. */
  readonly drainIdleMs: number;
}

export const EDGE_LIMITS: EdgeLimits = {
  bodyWindowBytes: 256 * 1024,
  bodyIdleTimeoutMs: 20_000,
  responseIdleTimeoutMs: 60_000,
  discardMaxBytes: 64 * 1024 * 1024,
  discardTimeoutMs: 5_000,
  drainIdleMs: 1_000,
};
