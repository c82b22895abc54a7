import { serverStream, unary } from './calls.ts';
import type { BranchRef, BranchSummary, Caller, RepoPermission, RepoRef, RepoSummary } from './model.ts';
import type { Pool } from './pool.ts';
import { Permission, type RepoInfo, ResourceType } from './proto.ts';
import { branchMessage, branchName, repoMessage, repoName, timeMs } from './wire.ts';

const DEADLINE_MS = 15_000;

/** Calls about who asks, and about repos and branches. Each throws PachdError. */
export function repoCalls(pool: Pool) {
  /** A small look-up. */
  const look = (name: string, about: string) =>
    ({ name, repeat: 'safe', hedge: true, deadlineMs: DEADLINE_MS, about }) as const;
  const change = (name: string, about: string) => ({ name, repeat: 'unsent', deadlineMs: DEADLINE_MS, about }) as const;

  return {
    /** The principal of the caller's token, such as "robot:ci". */
    async whoAmI(caller: Caller): Promise<string> {
      // It is about a token, which is to be kept nowhere.
      const call = { name: 'WhoAmI', repeat: 'safe', hedge: true, deadlineMs: DEADLINE_MS } as const;
      const { username } = await pool.run(call, caller, (attempt) =>
        unary<{ username: string }>(attempt, (...rest) => attempt.channel.auth.whoAmI({}, ...rest)),
      );
      return username;
    },

    /** What the caller may do with a repo. The repo must exist. */
    async permissions(caller: Caller, repo: RepoRef): Promise<ReadonlySet<RepoPermission>> {
      const resource = { type: ResourceType.REPO, name: repoName(repo) };
      const { permissions } = await pool.run(look('GetPermissions', resource.name), caller, (attempt) =>
        unary<{ permissions: Permission[] }>(attempt, (...rest) =>
          attempt.channel.auth.getPermissions({ resource }, ...rest),
        ),
      );
      return permissionSet(permissions);
    },

    /** Every repo of type `user` in every project, in order of project and name. */
    async *listRepos(caller: Caller): AsyncGenerator<RepoSummary> {
      const request = { type: 'user', projects: [], page: undefined };
      const call = { name: 'ListRepo', repeat: 'safe', deadlineMs: DEADLINE_MS, about: 'all' } as const;
      const repos = pool.stream(call, caller, (attempt) =>
        serverStream<RepoInfo>(attempt, (...rest) => attempt.channel.pfs.listRepo(request, ...rest)),
      );
      for await (const info of repos) yield repoSummary(info);
    },

    async inspectRepo(caller: Caller, repo: RepoRef): Promise<RepoSummary> {
      const request = { repo: repoMessage(repo) };
      // It counts the commits of the repo, and may take long: no small look-up.
      const call = { name: 'InspectRepo', repeat: 'safe', deadlineMs: DEADLINE_MS, about: repoName(repo) } as const;
      const info = await pool.run(call, caller, (attempt) =>
        unary<RepoInfo>(attempt, (...rest) => attempt.channel.pfs.inspectRepo(request, ...rest)),
      );
      return repoSummary(info);
    },

    async createRepo(caller: Caller, repo: RepoRef): Promise<void> {
      const request = { repo: repoMessage(repo), description: '', update: false };
      await pool.run(change('CreateRepo', repoName(repo)), caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.pfs.createRepo(request, ...rest)),
      );
    },

    /** Deletes a repo with all that is in it. */
    async deleteRepo(caller: Caller, repo: RepoRef): Promise<void> {
      const request = { repo: repoMessage(repo), force: false };
      await pool.run(change('DeleteRepo', repoName(repo)), caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.pfs.deleteRepo(request, ...rest)),
      );
    },

    /** Makes a branch with an empty, finished commit. The branch must not exist: pachd would move it. */
    async createBranch(caller: Caller, branch: BranchRef): Promise<void> {
      const request = {
        branch: branchMessage(branch),
        head: undefined,
        provenance: [],
        trigger: undefined,
        newCommitSet: false,
        branchPropagationSpecs: [],
      };
      await pool.run(change('CreateBranch', branchName(branch)), caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.pfs.createBranch(request, ...rest)),
      );
    },

    async inspectBranch(caller: Caller, branch: BranchRef): Promise<BranchSummary> {
      const request = { branch: branchMessage(branch) };
      const info = await pool.run(look('InspectBranch', branchName(branch)), caller, (attempt) =>
        unary<{
          head: { id: string } | undefined;
          provenance: unknown[];
          metadata: Readonly<Record<string, string>>;
        }>(attempt, (...rest) => attempt.channel.pfs.inspectBranch(request, ...rest)),
      );
      return { headId: info.head?.id ?? '', derived: info.provenance.length > 0, metadata: info.metadata };
    },

    async deleteBranch(caller: Caller, branch: BranchRef): Promise<void> {
      const request = { branch: branchMessage(branch), force: false };
      await pool.run(change('DeleteBranch', branchName(branch)), caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.pfs.deleteBranch(request, ...rest)),
      );
    },
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
