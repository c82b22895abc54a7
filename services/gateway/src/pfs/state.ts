import { setTimeout } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { CacheLost } from '../cache/script.ts';
import type { BranchCache } from '../cache/shared.ts';
import { isPachdError } from '../pachd/errors.ts';
import type { Caller, CommitRef, CommitSummary } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import type { Commits } from './commits.ts';
import { Failure } from './failure.ts';
import type { Lineage } from './lineage.ts';
import { type Delta, type Overlay, overlayOf } from './overlay.ts';
import { type BranchState, type FindDelta, noDeltas, type Resolved, type Resolver } from './resolve.ts';
import { createSharedView, type LookUp } from './shared-view.ts';
import type { Soon } from './soon.ts';

/** A bucket as one request sees it: a commit, and what the pending ones lay over it. */
export interface BucketView extends BranchState {
  readonly bucket: BucketRef;
  readonly overlay: Overlay;
}

export type Branches = BranchCache<BranchState, Delta>;

const BRANCHES_MAX = 10_000;
/** Clocks of unequal speed: what was believed for a time to live is believed nowhere after so much of it. */
const TTL_PART = 1.1;

export interface States {
  /**
   * What a bucket shows: its branch, as fresh as what any acknowledged write left, or the commit that it names.
   * @throws Failure no-such-bucket
   */
  view(caller: Caller, bucket: BucketRef): Soon<BucketView>;
  /** The same, for who has the writers' turn, as the shared cache knows it: what every later reader sees at least. @throws CacheLost */
  viewInTurn(caller: Caller, bucket: BucketRef): Promise<BucketView>;
  /** The same, when the shared cache cannot be reached: all that was written is waited for, and what others believe to outlive itself. */
  viewAlone(caller: Caller, bucket: BucketRef): Promise<BucketView>;
  /** The view of another commit of the same repo. @throws Failure no-such-version */
  viewVersion(caller: Caller, view: BucketView, commitId: string): Promise<BucketView>;
  /** The view of a finished commit of the same repo, or of the newest good one before it if it failed. */
  goodVersion(caller: Caller, view: BucketView, commitId: string | undefined): Promise<BucketView>;
  /** Waits until a commit is finished. @throws PachdError */
  finished(caller: Caller, commit: CommitRef): Promise<CommitSummary>;
  /** What a bucket is, asked of pachd now. @throws Failure no-such-bucket */
  look(caller: Caller, bucket: BucketRef): Promise<BucketView>;
  /**
   * To be called when a branch, or the commit that a bucket names, is not what it was taken for. When it resolves, nobody believes
   * any more what was known of it before.
   */
  invalidate(bucket: BucketRef): Promise<void>;
  /** Resolves when nobody can believe any more what was known before: after `tell`, or, if it is lost, after a time to live. */
  outlived(tell: () => Promise<void>): Promise<void>;
}

/** @param headTtlMs how long what is known of a branch may be believed; 0: pachd is asked each time */
export function createStates(
  commits: Commits,
  resolver: Resolver,
  cache: Branches,
  lineage: Lineage,
  headTtlMs: number,
): States {
  const count = countCache('branch');
  /** Made once for each state, since a state is read by many requests. */
  const views = new WeakMap<BranchState, BucketView>();
  /** Since when a branch is seen to show a commit, by who sees it without the shared cache. */
  const shown = new LRUCache<string, { readonly commitId: string | undefined; readonly sinceMs: number }>({
    max: BRANCHES_MAX,
  });

  const findDelta: FindDelta = async (branch, commitId) => {
    try {
      return await cache.delta(bucketName(branch), commitId);
    } catch (error) {
      if (error instanceof CacheLost) return undefined;
      throw error;
    }
  };

  const viewOf = (bucket: BucketRef, { state, deltas }: Resolved): BucketView => {
    const known = views.get(state);
    if (known !== undefined) return known.bucket.commitId === bucket.commitId ? known : { ...known, bucket };
    const overlay = overlayOf(state.pending.flatMap((commitId) => deltas.get(commitId) ?? []));
    const view = { ...state, bucket, overlay };
    views.set(state, view);
    if (state.commit !== undefined && !state.open) lineage.note(state.commit, state.pending, deltas);
    return view;
  };

  const resolve: LookUp = (caller, bucket) => resolver.resolve(caller, bucket, findDelta);
  const lookAfresh = async (caller: Caller, bucket: BucketRef): Promise<BucketView> =>
    viewOf(bucket, await resolve(caller, bucket));
  const shared = createSharedView(cache, resolve);

  const branchShared = async (caller: Caller, bucket: BucketRef, hasTurn: boolean): Promise<BucketView> =>
    headTtlMs === 0 ? lookAfresh(caller, bucket) : viewOf(bucket, await shared(caller, bucket, hasTurn));

  const outlived = async (tell: () => Promise<void>): Promise<void> => {
    const sinceMs = performance.now();
    try {
      await tell();
    } catch (error) {
      if (!(error instanceof CacheLost)) throw error;
      await setTimeout(Math.max(0, sinceMs + headTtlMs * TTL_PART - performance.now()));
    }
  };

  const branchAlone = async (caller: Caller, bucket: BucketRef): Promise<BucketView> => {
    const key = bucketName(bucket);
    const resolved = await resolver.resolve(caller, bucket, noDeltas);
    const commitId = resolved.state.commit?.commitId;
    const known = shown.get(key);
    const sinceMs = known?.commitId === commitId && known !== undefined ? known.sinceMs : performance.now();
    shown.set(key, { commitId, sinceMs });
    // Others may still believe an older state, and whoever reads there after this reader would go back in time.
    await setTimeout(Math.max(0, sinceMs + headTtlMs * TTL_PART - performance.now()));
    return viewOf(bucket, resolved);
  };

  const viewCommit = async (
    caller: Caller,
    bucket: BucketRef,
    commitId: string,
    { derived }: BranchState,
  ): Promise<BucketView> => {
    const commit = { project: bucket.project, repo: bucket.repo, commitId };
    const { state, finishedMs, startedMs } = await commits.inspectOpen(caller, commit);
    const open = state === 'open';
    const commitMs = finishedMs ?? startedMs;
    return { bucket, headId: commitId, commit, commitMs, pending: [], open, derived, overlay: overlayOf([]) };
  };

  const ofBranch = async (caller: Caller, bucket: BucketRef, branch: BucketView): Promise<BucketView> => {
    if (bucket.commitId === undefined) return branch;
    try {
      return await viewCommit(caller, bucket, bucket.commitId, branch);
    } catch (error) {
      if (isPachdError(error, 'commit-not-found'))
        throw new Failure('no-such-bucket', 'the repo has no such commit', error);
      throw error;
    }
  };

  const viewAlone: States['viewAlone'] = async (caller, bucket) =>
    ofBranch(caller, bucket, await branchAlone(caller, bucket));

  const viewAsked = async (caller: Caller, bucket: BucketRef): Promise<BucketView> => {
    try {
      return await ofBranch(caller, bucket, await branchShared(caller, bucket, false));
    } catch (error) {
      if (error instanceof CacheLost) return viewAlone(caller, bucket);
      throw error;
    }
  };

  return {
    viewInTurn: async (caller, bucket) => ofBranch(caller, bucket, await branchShared(caller, bucket, true)),
    viewAlone,
    outlived,
    finished: (caller, commit) => commits.inspect(caller, commit, 'finished'),
    look: async (caller, bucket) => {
      const branch = await lookAfresh(caller, bucket);
      return bucket.commitId === undefined ? branch : viewCommit(caller, bucket, bucket.commitId, branch);
    },
    view(caller, bucket) {
      const known = headTtlMs > 0 && bucket.commitId === undefined ? cache.atHand(bucketName(bucket)) : undefined;
      if (known === undefined) return viewAsked(caller, bucket);
      count.asked(true);
      return viewOf(bucket, known);
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
        const summary: CommitSummary = await commits.inspect(caller, { project, repo, commitId: id }, 'finished');
        if (summary.error === '') return viewCommit(caller, view.bucket, id, view);
        id = summary.parentId;
      }
      return { ...view, commit: undefined, pending: [], open: false, overlay: overlayOf([]) };
    },
    invalidate(bucket) {
      const { project, repo, commitId } = bucket;
      if (commitId !== undefined) commits.forgetOpen({ project, repo, commitId });
      return outlived(() => cache.invalidate(bucketName(bucket)));
    },
  };
}
