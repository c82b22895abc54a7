import { LRUCache } from 'lru-cache';
import { createFlights } from '../cache/flight.ts';
import type { BranchCache } from '../cache/shared.ts';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import type { BranchRef, Caller, CommitRef, CommitSummary, RepoRef } from '../pachd/model.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import { Failure } from './failure.ts';

/** What a branch is at one moment. It is read in one request and never kept past it, but for `commit`, which never changes. */
export interface BranchState {
  /** The newest commit, whatever its state. */
  readonly headId: string;
  /** The commit to read: the newest one that is finished without error, or an open head. undefined: there is none yet. */
  readonly commit: CommitRef | undefined;
  /** When that commit was finished; when it was started, if it is open. */
  readonly commitMs: number;
  /** The head is somebody's open commit: it changes under the reader, so nothing of it may be kept. */
  readonly open: boolean;
  /** Only a pipeline writes here. */
  readonly derived: boolean;
}

/** A bucket as one request sees it. */
export interface BucketView extends BranchState {
  readonly bucket: BucketRef;
}

/** How often a reader looks again when writers keep changing the branch, before it takes what it has just seen itself. */
const READ_ATTEMPTS_MAX = 3;
/** Commits without one that can be read are walked back at most this far. */
const CHAIN_MAX = 10_000;
const COMMITS_MAX = 20_000;

export interface States {
  /** What a bucket is, asked of pachd now. @throws Failure no-such-bucket */
  look(caller: Caller, bucket: BucketRef): Promise<BranchState>;
  /**
   * What a bucket shows: its branch, as fresh as what any acknowledged write left, or the commit that it names.
   * @throws Failure no-such-bucket
   */
  view(caller: Caller, bucket: BucketRef): Promise<BucketView>;
  /** The view of another commit of the same repo. @throws Failure no-such-version */
  viewVersion(caller: Caller, view: BucketView, commitId: string): Promise<BucketView>;
  /** To be called after a branch was written, before the write is acknowledged. */
  invalidate(branch: BranchRef): Promise<void>;
}

export function createStates(pachd: Pachd, cache: BranchCache<BranchState>, headTtlMs: number): States {
  const resolving = createFlights<BranchState>();
  const commits = new LRUCache<string, CommitSummary>({ max: COMMITS_MAX });

  /** A finished commit never changes, so it is asked for once. */
  const inspect = async (caller: Caller, commit: CommitRef, wait: 'no' | 'finished'): Promise<CommitSummary> => {
    const key = `${commit.project}/${commit.repo}@${commit.commitId}`;
    const known = commits.get(key);
    if (known !== undefined) return known;
    const summary = await pachd.inspectCommit(caller, commit, wait);
    if (summary.state === 'finished') commits.set(key, summary);
    return summary;
  };

  /** Only then can an open commit be read. */
  const parentFinished = async (
    caller: Caller,
    { project, repo }: RepoRef,
    { parentId }: CommitSummary,
  ): Promise<void> => {
    if (parentId !== undefined) await inspect(caller, { project, repo, commitId: parentId }, 'finished');
  };

  const resolveAfresh = async (caller: Caller, branch: BranchRef): Promise<BranchState> => {
    const { headId, derived } = await inspectBranch(pachd, caller, branch);
    const { project, repo } = branch;
    const refOf = (commitId: string): CommitRef => ({ project, repo, commitId });
    let summary = await inspect(caller, refOf(headId), 'no');
    if (summary.state === 'open') {
      await parentFinished(caller, branch, summary);
      return { headId, commit: refOf(headId), commitMs: summary.startedMs, open: true, derived };
    }
    for (let walked = 0; walked < CHAIN_MAX; walked++) {
      if (summary.state !== 'finished') summary = await inspect(caller, refOf(summary.id), 'finished');
      if (summary.error === '') {
        return { headId, commit: refOf(summary.id), commitMs: summary.finishedMs ?? 0, open: false, derived };
      }
      if (summary.parentId === undefined) break;
      summary = await inspect(caller, refOf(summary.parentId), 'no');
    }
    return { headId, commit: undefined, commitMs: 0, open: false, derived };
  };

  const resolve = async (caller: Caller, branch: BranchRef): Promise<BranchState> => {
    if (headTtlMs === 0) return resolveAfresh(caller, branch);
    const key = bucketName(branch);
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const { nonce, nowMs, state } = await cache.read(key);
      if (state !== undefined) return state;
      // The flight may have begun before a write that this request must see: its answer counts only if the store of it does.
      // And whoever began it may have fewer permissions than this caller, who then looks for himself.
      const resolved = await resolving(key, async () => {
        const fresh = await resolveAfresh(detached(caller), branch);
        if (!fresh.open) await cache.store(key, nonce, nowMs, fresh);
        return fresh;
      }).catch((error: unknown) => {
        if (isPachdError(error, 'denied')) return undefined;
        throw error;
      });
      if (resolved === undefined || resolved.open) break;
    }
    return resolveAfresh(caller, branch);
  };

  const viewCommit = async (
    caller: Caller,
    bucket: BucketRef,
    commitId: string,
    branch: BranchState,
  ): Promise<BucketView> => {
    const commit = { project: bucket.project, repo: bucket.repo, commitId };
    let summary = await inspect(caller, commit, 'no');
    if (summary.state === 'finishing') summary = await inspect(caller, commit, 'finished');
    if (summary.state === 'open') await parentFinished(caller, bucket, summary);
    const { derived } = branch;
    return {
      bucket,
      headId: commitId,
      commit,
      commitMs: summary.finishedMs ?? summary.startedMs,
      open: summary.state === 'open',
      derived,
    };
  };

  return {
    look: async (caller, bucket) => {
      const branch = await resolveAfresh(caller, bucket);
      return bucket.commitId === undefined ? branch : viewCommit(caller, bucket, bucket.commitId, branch);
    },
    async view(caller, bucket) {
      const branch = await resolve(caller, bucket);
      if (bucket.commitId === undefined) return { bucket, ...branch };
      try {
        return await viewCommit(caller, bucket, bucket.commitId, branch);
      } catch (error) {
        if (isPachdError(error, 'commit-not-found'))
          throw new Failure('no-such-bucket', 'the repo has no such commit', error);
        throw error;
      }
    },
    async viewVersion(caller, view, commitId) {
      try {
        return await viewCommit(caller, view.bucket, commitId, view);
      } catch (error) {
        if (isPachdError(error, 'commit-not-found'))
          throw new Failure('no-such-version', 'the repo has no such commit', error);
        throw error;
      }
    },
    invalidate: (branch) => cache.invalidate(bucketName(branch)),
  };
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

/** Others wait for the same look-up: it must not end because the one who began it went away. */
function detached(caller: Caller): Caller {
  return { token: caller.token, signal: NEVER };
}

const NEVER = new AbortController().signal;
