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
  /** In the clock of who keeps the cache. */
  readonly nowMs: number;
  /** The state, if it is known, not older than its time to live, and the delta of each of its pending commits is there. */
  readonly state: State | undefined;
  /** The deltas of the state's pending commits, by commit. */
  readonly deltas: ReadonlyMap<string, Delta>;
  /** Somebody else looks the branch up at this moment: what he finds is soon there to be read. */
  readonly looking: boolean;
}

/**
 * What is shared about branches: the one interface behind which memory (one worker) and Redis (a fleet) stand.
 * The rules that keep it fresh are in docs/architecture.md, "Which commit a branch means" and "Writes".
 * Every method of it and of its turns throws CacheLost when what is shared cannot be reached: then it may have been done, may be
 * done yet, or never.
 */
export interface BranchCache<State extends CachedState, Delta> {
  read(branch: string): Promise<BranchRead<State, Delta>>;
  /** A state that such a read would give, where nobody need be asked for it. */
  atHand(branch: string): { readonly state: State; readonly deltas: ReadonlyMap<string, Delta> } | undefined;
  /** The pending commits of a branch, as far as they are known now. Gives nobody the task to look the branch up, as a read does. */
  pending(branch: string): Promise<readonly string[]>;
  /** What a commit of a branch changed; undefined: that is not known, or not any more. */
  delta(branch: string, commitId: string): Promise<Delta | undefined>;
  /**
   * Keeps a state that was looked up after the read which gave `nonce` and `readAtMs`. Refused when anything was written or
   * invalidated since, and while a turn is held that has judged another head. Whether it was taken or not, a reader that needs to
   * be sure reads again. @param state undefined: it could not be found out, and others may look @returns whether it was taken
   */
  store(branch: string, nonce: string, readAtMs: number, state: State | undefined): Promise<boolean>;
  /** Forgets the state and refuses every store whose look-up began before. */
  invalidate(branch: string): Promise<void>;
  /**
   * Waits until nobody else writes to the branch. The turn is to be ended by `publish` or `end`, once. undefined: others wrote for
   * longer than can be waited for.
   */
  takeTurn(branch: string): Promise<Turn<Delta> | undefined>;
}

/** The right to write to a branch. It is lost when its holder stands still for too long. */
export interface Turn<Delta> {
  /** Whether nobody else can have it yet. */
  holds(): boolean;
  /**
   * From now on no state with another head is stored until the turn ends: what is judged at that head is then what every later reader
   * sees at least. false: the turn is lost.
   */
  pin(headId: string): Promise<boolean>;
  /**
   * Leaves word that `writer` is about to write into somebody's open commit. Gives who did so last; undefined: nobody, or that is not
   * known any more.
   */
  mark(commitId: string, writer: string): Promise<string | undefined>;
  /**
   * Makes a commit known with what it changed, and ends the turn: a state whose head is the one that the commit stands on goes on with
   * it as its newest pending one; any other is forgotten.
   */
  publish(parentId: string, commitId: string, delta: Delta): Promise<void>;
  /** Ends the turn, and forgets the state if the branch may have been written. */
  end(written: 'written' | 'untouched'): Promise<void>;
}
