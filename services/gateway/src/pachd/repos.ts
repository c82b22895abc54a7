import { serverStream, unary } from './channel.ts';
import type { BranchRef, BranchSummary, Caller, RepoPermission, RepoRef, RepoSummary } from './model.ts';
import type { Pool } from './pool.ts';
import { Permission, type RepoInfo, ResourceType } from './proto.ts';
import { branchMessage, repoMessage, timeMs } from './wire.ts';

const DEADLINE_MS = 15_000;

/** Calls about who asks, and about repos and branches. Each throws PachdError. */
export function repoCalls(pool: Pool) {
  return {
    /** The principal of the caller's token, such as "robot:ci". */
    whoAmI: (caller: Caller): Promise<string> =>
      pool.run('safe', async (channel) => {
        const answer = await unary<{ username: string }>(
          'WhoAmI',
          channel,
          caller,
          DEADLINE_MS,
          (metadata, options, done) => channel.auth.whoAmI({}, metadata, options, done),
        );
        return answer.username;
      }),

    /** What the caller may do with a repo. The repo must exist. */
    permissions: (caller: Caller, repo: RepoRef): Promise<ReadonlySet<RepoPermission>> =>
      pool.run('safe', async (channel) => {
        const resource = { type: ResourceType.REPO, name: `${repo.project}/${repo.repo}` };
        const answer = await unary<{ permissions: Permission[] }>(
          'GetPermissions',
          channel,
          caller,
          DEADLINE_MS,
          (metadata, options, done) => channel.auth.getPermissions({ resource }, metadata, options, done),
        );
        return permissionSet(answer.permissions);
      }),

    /** Every repo of type `user` in every project, in order of project and name. */
    async *listRepos(caller: Caller): AsyncGenerator<RepoSummary> {
      const request = { type: 'user', projects: [], page: undefined };
      for await (const info of pool.stream((channel) =>
        serverStream<RepoInfo>('ListRepo', channel, caller, DEADLINE_MS, (metadata, options) =>
          channel.pfs.listRepo(request, metadata, options),
        ),
      )) {
        yield repoSummary(info);
      }
    },

    inspectRepo: (caller: Caller, repo: RepoRef): Promise<RepoSummary> =>
      pool.run('safe', async (channel) =>
        repoSummary(
          await unary<RepoInfo>('InspectRepo', channel, caller, DEADLINE_MS, (metadata, options, done) =>
            channel.pfs.inspectRepo({ repo: repoMessage(repo) }, metadata, options, done),
          ),
        ),
      ),

    createRepo: (caller: Caller, repo: RepoRef): Promise<void> =>
      pool.run('never', async (channel) => {
        await unary('CreateRepo', channel, caller, DEADLINE_MS, (metadata, options, done) =>
          channel.pfs.createRepo({ repo: repoMessage(repo), description: '', update: false }, metadata, options, done),
        );
      }),

    /** Deletes a repo with all that is in it. */
    deleteRepo: (caller: Caller, repo: RepoRef): Promise<void> =>
      pool.run('never', async (channel) => {
        await unary('DeleteRepo', channel, caller, DEADLINE_MS, (metadata, options, done) =>
          channel.pfs.deleteRepo({ repo: repoMessage(repo), force: false }, metadata, options, done),
        );
      }),

    /** Makes a branch with an empty, finished commit. The branch must not exist: pachd would move it. */
    createBranch: (caller: Caller, branch: BranchRef): Promise<void> =>
      pool.run('never', async (channel) => {
        const request = {
          branch: branchMessage(branch),
          head: undefined,
          provenance: [],
          trigger: undefined,
          newCommitSet: false,
          branchPropagationSpecs: [],
        };
        await unary('CreateBranch', channel, caller, DEADLINE_MS, (metadata, options, done) =>
          channel.pfs.createBranch(request, metadata, options, done),
        );
      }),

    inspectBranch: (caller: Caller, branch: BranchRef): Promise<BranchSummary> =>
      pool.run('safe', async (channel) => {
        const info = await unary<{ head: { id: string } | undefined; provenance: unknown[] }>(
          'InspectBranch',
          channel,
          caller,
          DEADLINE_MS,
          (metadata, options, done) =>
            channel.pfs.inspectBranch({ branch: branchMessage(branch) }, metadata, options, done),
        );
        return { headId: info.head?.id ?? '', derived: info.provenance.length > 0 };
      }),

    deleteBranch: (caller: Caller, branch: BranchRef): Promise<void> =>
      pool.run('never', async (channel) => {
        await unary('DeleteBranch', channel, caller, DEADLINE_MS, (metadata, options, done) =>
          channel.pfs.deleteBranch({ branch: branchMessage(branch), force: false }, metadata, options, done),
        );
      }),
  };
}

function repoSummary(info: RepoInfo): RepoSummary {
  return {
    ref: { project: info.repo?.project?.name ?? '', repo: info.repo?.name ?? '' },
    branches: info.branches.map((branch) => branch.name).sort(),
    createdMs: timeMs(info.created) ?? 0,
    permissions: info.authInfo === undefined ? undefined : permissionSet(info.authInfo.permissions),
  };
}

const REPO_PERMISSIONS: readonly (readonly [Permission, RepoPermission])[] = [
  [Permission.REPO_READ, 'read'],
  [Permission.REPO_WRITE, 'write'],
  [Permission.REPO_LIST_FILE, 'list'],
  [Permission.REPO_INSPECT_FILE, 'inspect'],
  [Permission.REPO_CREATE_BRANCH, 'createBranch'],
  [Permission.REPO_DELETE_BRANCH, 'deleteBranch'],
  [Permission.REPO_DELETE, 'delete'],
];

function permissionSet(permissions: readonly Permission[]): ReadonlySet<RepoPermission> {
  return new Set(REPO_PERMISSIONS.filter(([permission]) => permissions.includes(permission)).map(([, name]) => name));
}
