/**
 * What is shared about branches: the one interface behind which memory (one worker) and Redis (a fleet) stand.
 * The rules that keep it fresh are in docs/architecture.md, "Which commit a branch means".
 */
export interface BranchCache<State> {
  /** The state, if it is known and not older than its time to live; and the nonce that a later store must still find. */
  read(branch: string): Promise<{ readonly nonce: string; readonly nowMs: number; readonly state: State | undefined }>;
  /**
   * Keeps a state that was looked up after the read which gave `nonce` and `nowMs`. Refused when anything was written or
   * invalidated since. Whether it was taken or not, a reader that needs to be sure reads again.
   */
  store(branch: string, nonce: string, readAtMs: number, state: State): Promise<void>;
  /** Forgets the state and refuses every store whose look-up began before. */
  invalidate(branch: string): Promise<void>;
}
