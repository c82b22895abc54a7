import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import type { BranchRef, Caller, RepoPermission, RepoSummary } from '../pachd/model.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import { Failure } from './failure.ts';
import type { Identity, Principal } from './identity.ts';
import type { Lists } from './list.ts';
import { andThen, type Soon } from './soon.ts';
import type { BucketView, States } from './state.ts';

/** Where the gateway inside of pachd keeps the parts of its uploads: no user's data. */
const EMBEDDED_GATEWAY_REPO = '_s3gateway_multipart_';

export interface BucketInfo {
  readonly name: string;
  readonly createdMs: number;
}

export type Buckets = ReturnType<typeof createBuckets>;

export function createBuckets(pachd: Pachd, identity: Identity, states: States, lists: Lists) {
  /** A bucket that is not there is said to be so to everybody, also to who may not see what is in it. */
  const open = (
    caller: Caller,
    principal: Principal,
    bucket: BucketRef,
    permission: RepoPermission,
  ): Soon<BucketView> =>
    andThen(states.view(caller, bucket), (view) =>
      andThen(identity.demand(caller, principal, bucket, permission), () => view),
    );

  return {
    /** @throws Failure no-such-bucket, denied */
    open,

    /** Every branch of every repo that the caller may read, in order of name. */
    async list(caller: Caller): Promise<readonly BucketInfo[]> {
      const buckets: BucketInfo[] = [];
      for await (const repo of pachd.listRepos(caller)) {
        if (!mayRead(repo) || repo.ref.repo === EMBEDDED_GATEWAY_REPO) continue;
        for (const branch of repo.branches)
          buckets.push({ name: bucketName({ ...repo.ref, branch }), createdMs: repo.createdMs });
      }
      return buckets.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    },

    /**
     * Makes the branch, and its repo if need be. @throws Failure bucket-owned-by-you, bucket-exists (somebody else's), no-such-bucket
     * (the project is not there), denied
     */
    async create(caller: Caller, principal: Principal, bucket: BucketRef): Promise<void> {
      if (bucket.commitId !== undefined) throw new Failure('commit-is-read-only', 'A commit is not made by its name.');
      const repo = { project: bucket.project, repo: bucket.repo };
      try {
        await pachd.createRepo(caller, repo);
      } catch (error) {
        if (!isPachdError(error, 'already-exists')) throw error;
        try {
          await identity.demand(caller, principal, repo, 'createBranch');
        } catch (why) {
          await refuseIfThere(caller, bucket, why);
        }
      }
      if (await exists(caller, bucket)) throw new Failure('bucket-owned-by-you', 'the branch is there');
      await pachd.createBranch(caller, bucket);
      await states.invalidate(bucket);
    },

    /** Deletes the branch, and the repo with its last branch. @throws Failure no-such-bucket, bucket-not-empty, bucket-in-use, denied */
    async delete(caller: Caller, principal: Principal, bucket: BucketRef): Promise<void> {
      if (bucket.commitId !== undefined)
        throw new Failure('commit-is-read-only', 'A commit is not deleted by its name.');
      const state = await states.look(caller, bucket);
      await identity.demand(caller, principal, bucket, 'deleteBranch');
      if (state.derived) throw new Failure('output-branch', 'the branch belongs to its pipeline');
      if (!(await lists.isEmpty(caller, state))) throw new Failure('bucket-not-empty', 'the head has files');
      const { branches } = await pachd.inspectRepo(caller, bucket);
      try {
        if (branches.length === 1 && branches[0] === bucket.branch) await pachd.deleteRepo(caller, bucket);
        else await pachd.deleteBranch(caller, bucket);
      } catch (error) {
        if (isPachdError(error, 'unexpected'))
          throw new Failure('bucket-in-use', 'pachd does not let the branch go', error);
        throw error;
      } finally {
        await states.invalidate(bucket);
      }
    },
  };

  async function exists(caller: Caller, branch: BranchRef): Promise<boolean> {
    try {
      await pachd.inspectBranch(caller, branch);
      return true;
    } catch (error) {
      if (isPachdError(error, 'branch-not-found')) return false;
      throw error;
    }
  }

  /** Who may not make branches in the repo is told whether the name is taken, as with S3's global names. */
  async function refuseIfThere(caller: Caller, branch: BranchRef, why: unknown): Promise<never> {
    if (why instanceof Failure && why.kind === 'denied' && (await exists(caller, branch))) {
      throw new Failure('bucket-exists', 'the branch is there, and is not yours', why);
    }
    throw why;
  }
}

function mayRead(repo: RepoSummary): boolean {
  return repo.permissions === undefined || repo.permissions.has('read');
}
