import { setTimeout } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createFlights } from '../cache/flight.ts';
import type { BranchCache } from '../cache/shared.ts';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import {
  type BranchRef,
  type Caller,
  type CommitRef,
  type CommitSummary,
  commitKey,
  detached,
  type RepoRef,
} from '../pachd/model.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import { Failure } from './failure.ts';
import { type Delta, type Overlay, overlayOf } from './overlay.ts';

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

/** A bucket as one request sees it: a commit, and what the pending ones lay over it. */
export interface BucketView extends BranchState {
  readonly bucket: BucketRef;
  readonly overlay: Overlay;
}

export type Branches = BranchCache<BranchState, Delta>;

/** How often a reader looks again when writers keep changing the branch, before it takes what it has just seen itself. */
const READ_ATTEMPTS_MAX = 50;
const READ_AGAIN_MS = 5;
/** Commits without one that can be read are walked back at most this far. */
const CHAIN_MAX = 10_000;
const COMMITS_MAX = 20_000;

export interface States {
  /**
   * What a bucket shows: its branch, as fresh as what any acknowledged write left, or the commit that it names.
   * @throws Failure no-such-bucket
   */
  view(caller: Caller, bucket: BucketRef): Promise<BucketView>;
  /** The view of another commit of the same repo. @throws Failure no-such-version */
  viewVersion(caller: Caller, view: BucketView, commitId: string): Promise<BucketView>;
  /** The view of a finished commit of the same repo, or of the newest good one before it if it failed. */
  goodVersion(caller: Caller, view: BucketView, commitId: string | undefined): Promise<BucketView>;
  /** Waits until a commit is finished. @throws PachdError */
  finished(caller: Caller, commit: CommitRef): Promise<CommitSummary>;
  /** What a bucket is, asked of pachd now. @throws Failure no-such-bucket */
  look(caller: Caller, bucket: BucketRef): Promise<BucketView>;
  /** To be called when a branch, or the commit that a bucket names, is not what it was taken for. */
  invalidate(bucket: BucketRef): Promise<void>;
}

export function createStates(pachd: Pachd, cache: Branches, headTtlMs: number): States {
  const resolving = createFlights<BranchState>();
  const commits = new LRUCache<string, CommitSummary>({ max: COMMITS_MAX });
  /** Commits that were open a moment ago. Whether they still are is told by pachd to those who write, and of no matter to who reads. */
  const openCommits = new LRUCache<string, CommitSummary>({ max: COMMITS_MAX, ttl: Math.max(1, headTtlMs) });
  /** Overlays are made once for each state, since a state is read by many requests. */
  const overlays = new WeakMap<BranchState, Overlay>();

  /** A finished commit never changes, so it is asked for once. */
  const inspect = async (caller: Caller, commit: CommitRef, wait: 'no' | 'finished'): Promise<CommitSummary> => {
    const key = commitKey(commit);
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

  /** Walks from the head to the newest good commit. What is unfinished on the way is pending if its delta is known, and waited for if not. */
  const resolveAfresh = async (
    caller: Caller,
    branch: BranchRef,
    deltas: ReadonlyMap<string, Delta>,
  ): Promise<BranchState> => {
    const { headId, derived } = await inspectBranch(pachd, caller, branch);
    const { project, repo } = branch;
    const refOf = (commitId: string): CommitRef => ({ project, repo, commitId });
    const pending: string[] = [];
    let id: string | undefined = headId;
    for (let walked = 0; walked < CHAIN_MAX && id !== undefined; walked++) {
      let summary: CommitSummary = await inspect(caller, refOf(id), 'no');
      if (summary.state === 'open' && id === headId) {
        await parentFinished(caller, branch, summary);
        return { headId, commit: refOf(headId), commitMs: summary.startedMs, pending: [], open: true, derived };
      }
      if (summary.state !== 'finished' && !deltas.has(id)) {
        summary = await inspect(caller, refOf(id), 'finished');
        // What is pending after it has been waited for along with it.
        pending.length = 0;
        if (id !== headId) return resolveAfresh(caller, branch, deltas);
      }
      if (summary.state === 'finished' && summary.error === '') {
        const commitMs = summary.finishedMs ?? 0;
        return { headId, commit: refOf(id), commitMs, pending: pending.reverse(), open: false, derived };
      }
      if (summary.state !== 'finished') pending.push(id);
      id = summary.parentId;
    }
    return { headId, commit: undefined, commitMs: 0, pending: pending.reverse(), open: false, derived };
  };

  const viewOf = (bucket: BucketRef, state: BranchState, deltas: ReadonlyMap<string, Delta>): BucketView => {
    let overlay = overlays.get(state);
    if (overlay === undefined) {
      overlay = overlayOf(state.pending.flatMap((commitId) => deltas.get(commitId) ?? []));
      overlays.set(state, overlay);
    }
    return { ...state, bucket, overlay };
  };

  const lookAfresh = async (caller: Caller, bucket: BucketRef): Promise<BucketView> => {
    const { deltas } = await cache.read(bucketName(bucket));
    return viewOf(bucket, await resolveAfresh(caller, bucket, deltas), deltas);
  };

  /** A look of one's own. What it saw, every later reader must see at least: so older look-ups may not be stored any more. */
  const lookAndForget = async (caller: Caller, bucket: BucketRef): Promise<BucketView> => {
    const seen = await lookAfresh(caller, bucket);
    await cache.invalidate(bucketName(bucket));
    return seen;
  };

  const viewBranch = async (caller: Caller, bucket: BucketRef): Promise<BucketView> => {
    if (headTtlMs === 0) return lookAfresh(caller, bucket);
    const key = bucketName(bucket);
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const { nonce, nowMs, state, deltas } = await cache.read(key);
      if (state !== undefined) return viewOf(bucket, state, deltas);
      // A writer holds the turn, or another was quicker: what it leaves is soon there to be read.
      if (attempt > 1) await setTimeout(READ_AGAIN_MS);
      // The flight may have begun before a write that this request must see: its answer counts only if the store of it does.
      // And whoever began it may have fewer permissions than this caller, who then looks for himself.
      const resolved = await resolving(key, async () => {
        const fresh = await resolveAfresh(detached(caller), bucket, deltas);
        await cache.store(key, nonce, nowMs, fresh);
        return fresh;
      }).catch((error: unknown) => {
        if (isPachdError(error, 'denied')) return undefined;
        throw error;
      });
      if (resolved === undefined) break;
    }
    return lookAndForget(caller, bucket);
  };

  const viewCommit = async (
    caller: Caller,
    bucket: BucketRef,
    commitId: string,
    { derived }: BranchState,
  ): Promise<BucketView> => {
    const commit = { project: bucket.project, repo: bucket.repo, commitId };
    let summary = openCommits.get(commitKey(commit)) ?? (await inspect(caller, commit, 'no'));
    if (summary.state === 'finishing') summary = await inspect(caller, commit, 'finished');
    if (summary.state === 'open' && !openCommits.has(commitKey(commit))) {
      await parentFinished(caller, bucket, summary);
      if (headTtlMs > 0) openCommits.set(commitKey(commit), summary);
    }
    const open = summary.state === 'open';
    const commitMs = summary.finishedMs ?? summary.startedMs;
    return { bucket, headId: commitId, commit, commitMs, pending: [], open, derived, overlay: overlayOf([]) };
  };

  return {
    finished: (caller, commit) => inspect(caller, commit, 'finished'),
    look: async (caller, bucket) => {
      const branch = await lookAfresh(caller, bucket);
      return bucket.commitId === undefined ? branch : viewCommit(caller, bucket, bucket.commitId, branch);
    },
    async view(caller, bucket) {
      const branch = await viewBranch(caller, bucket);
      if (bucket.commitId === undefined) return branch;
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
    async goodVersion(caller, view, commitId) {
      const { project, repo } = view.bucket;
      for (let id: string | undefined = commitId; id !== undefined; ) {
        const summary: CommitSummary = await inspect(caller, { project, repo, commitId: id }, 'finished');
        if (summary.error === '') return viewCommit(caller, view.bucket, id, view);
        id = summary.parentId;
      }
      return { ...view, commit: undefined, pending: [], open: false, overlay: overlayOf([]) };
    },
    invalidate(bucket) {
      const { project, repo, commitId } = bucket;
      if (commitId !== undefined) openCommits.delete(commitKey({ project, repo, commitId }));
      return cache.invalidate(bucketName(bucket));
    },
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
