import { setTimeout } from 'node:timers/promises';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import type { BranchRef, Caller, CommitRef, CommitSummary } from '../pachd/model.ts';
import { bucketName } from './bucket.ts';
import type { Commits } from './commits.ts';
import { Failure } from './failure.ts';
import type { Delta } from './overlay.ts';

/** What a branch is at one moment. It is read in one request and never kept past it, but for `commit`, which never changes. */
export interface BranchState {
  /** The newest commit, whatever its state. */
  readonly headId: string;
  /** The newest commit that is finished without error, or an open head. undefined: there is none yet. */
  readonly commit: CommitRef | undefined;
  /** When that commit was finished; when it was started, if it is open. */
  readonly commitMs: number;
  /** Unfinished commits after it whose deltas are known, oldest first. */
  readonly pending: readonly string[];
  /** The head is somebody's open commit: it changes under the reader, so nothing of it may be kept. */
  readonly open: boolean;
  /** Only a pipeline writes here. */
  readonly derived: boolean;
}

export interface Resolved {
  readonly state: BranchState;
  /** What the state's pending commits changed. */
  readonly deltas: ReadonlyMap<string, Delta>;
}

/** What a commit changed; undefined: nobody knows, or nobody can be asked. */
export type FindDelta = (branch: BranchRef, commitId: string) => Promise<Delta | undefined>;

/** For those who wait until all is finished. */
export const noDeltas: FindDelta = () => Promise.resolve(undefined);

/** Commits without one that can be read are walked back at most this far. */
const CHAIN_MAX = 10_000;
/** Who made a commit makes its delta known a moment later, so it is asked for again while the commit's finish is waited for. */
const DELTA_AGAIN_FIRST_MS = 5;
const DELTA_AGAIN_MAX_MS = 100;

export interface Resolver {
  /**
   * Asks pachd what a branch is: walks from the head to the newest good commit. What is unfinished on the way is pending if its delta is
   * known, and waited for if not. @throws Failure no-such-bucket
   */
  resolve(caller: Caller, branch: BranchRef, findDelta: FindDelta): Promise<Resolved>;
}

export function createResolver(pachd: Pachd, commits: Commits): Resolver {
  const resolve: Resolver['resolve'] = async (caller, branch, findDelta) => {
    const { headId, derived } = await inspectBranch(pachd, caller, branch);
    const { project, repo } = branch;
    const refOf = (commitId: string): CommitRef => ({ project, repo, commitId });
    const pending: string[] = [];
    const deltas = new Map<string, Delta>();
    const found = (commit: CommitRef | undefined, commitMs: number, open: boolean): Resolved => ({
      state: { headId, commit, commitMs, pending: pending.reverse(), open, derived },
      deltas,
    });
    let id: string | undefined = headId;
    for (let walked = 0; walked < CHAIN_MAX && id !== undefined; walked++) {
      let summary: CommitSummary = await commits.inspect(caller, refOf(id), 'no');
      if (summary.state === 'open' && id === headId) {
        await commits.parentFinished(caller, branch, summary);
        return found(refOf(headId), summary.startedMs, true);
      }
      if (summary.state !== 'finished') {
        const known = await deltaOrFinished(caller, branch, refOf(id), findDelta);
        if ('entries' in known) {
          deltas.set(id, known);
          pending.push(id);
        } else if (id !== headId) {
          // What is pending after it has been waited for along with it.
          return resolve(caller, branch, findDelta);
        } else {
          summary = known;
        }
      }
      if (summary.state === 'finished' && summary.error === '') {
        return found(refOf(id), summary.finishedMs ?? 0, false);
      }
      id = summary.parentId;
    }
    return found(undefined, 0, false);
  };

  const deltaOrFinished = async (
    caller: Caller,
    branch: BranchRef,
    commit: CommitRef,
    findDelta: FindDelta,
  ): Promise<Delta | CommitSummary> => {
    const known = await findDelta(branch, commit.commitId);
    if (known !== undefined) return known;
    if (findDelta === noDeltas) return commits.inspect(caller, commit, 'finished');
    const over = new AbortController();
    const { signal } = over;
    const appears = async (): Promise<Delta> => {
      for (let waitMs = DELTA_AGAIN_FIRST_MS; ; waitMs = Math.min(2 * waitMs, DELTA_AGAIN_MAX_MS)) {
        await setTimeout(waitMs, undefined, { signal });
        const delta = await findDelta(branch, commit.commitId);
        if (delta !== undefined) return delta;
      }
    };
    const either = [commits.inspect({ token: caller.token, signal }, commit, 'finished'), appears()];
    // The one that loses is ended, and tells so.
    for (const one of either) one.catch(() => {});
    return Promise.race(either).finally(() => over.abort());
  };

  return { resolve };
}

async function inspectBranch(pachd: Pachd, caller: Caller, branch: BranchRef) {
  try {
    return await pachd.inspectBranch(caller, branch);
  } catch (error) {
    if (isPachdError(error, 'project-not-found', 'repo-not-found', 'branch-not-found')) {
      throw new Failure('no-such-bucket', `there is no branch ${bucketName(branch)}`, error);
    }
    throw error;
  }
}
