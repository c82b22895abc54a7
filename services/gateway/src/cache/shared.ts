/** What is kept of a branch, as far as the cache itself has to understand it. */
export interface CachedState {
  /** The newest commit. */
  readonly headId: string;
  /** The unfinished commits after the one that is read, oldest first. */
  readonly pending: readonly string[];
}

export interface BranchRead<State, Delta> {
  /** What a later store must still find. */
  readonly nonce: string;
  readonly nowMs: number;
  /** The state, if it is known, not older than its time to live, and the delta of each of its pending commits is there. */
  readonly state: State | undefined;
  /** The deltas of the branch's recent commits that are known, by commit. */
  readonly deltas: ReadonlyMap<string, Delta>;
}

/**
 * What is shared about branches: the one interface behind which memory (one worker) and Redis (a fleet) stand.
 * The rules that keep it fresh are in docs/architecture.md, "Which commit a branch means" and "Writes".
 */
export interface BranchCache<State extends CachedState, Delta> {
  read(branch: string): Promise<BranchRead<State, Delta>>;
  /**
   * Keeps a state that was looked up after the read which gave `nonce` and `readAtMs`. Refused when anything was written or
   * invalidated since, and while a turn is held that has judged another head. Whether it was taken or not, a reader that needs to
   * be sure reads again.
   */
  store(branch: string, nonce: string, readAtMs: number, state: State): Promise<void>;
  /** Forgets the state and refuses every store whose look-up began before. */
  invalidate(branch: string): Promise<void>;
  /** Waits until nobody else writes to the branch. The turn is to be ended by `publish` or `end`, once. */
  takeTurn(branch: string): Promise<Turn<Delta>>;
}

/** The right to write to a branch. */
export interface Turn<Delta> {
  /**
   * Says on which head the commit is to stand. Pinned, no state with another head is stored until the turn ends: what was judged
   * is then what every later reader sees at least.
   */
  judge(headId: string, pin: 'pinned' | 'loose'): Promise<void>;
  /**
   * Makes a commit on the judged head known, with what it changed, and ends the turn: a state with the judged head goes on with
   * the commit as its newest pending one; any other is forgotten.
   */
  publish(commitId: string, delta: Delta): Promise<void>;
  /** Ends the turn, and forgets the state if the branch may have been written. */
  end(written: 'written' | 'untouched'): Promise<void>;
}
