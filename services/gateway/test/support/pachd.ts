import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  APIClient as AuthClient,
  GetRobotTokenRequest,
  ModifyRoleBindingRequest,
  ResourceType,
} from '../../../../proto/gen/auth/auth.ts';
import {
  type BranchInfo,
  type CommitInfo,
  CommitState,
  CreateBranchRequest,
  CreateProjectRequest,
  CreateRepoRequest,
  DeleteProjectRequest,
  DeleteRepoRequest,
  FinishCommitRequest,
  InspectBranchRequest,
  InspectCommitRequest,
  ListCommitRequest,
  ListRepoRequest,
  ModifyFileRequest,
  APIClient as PfsClient,
  type RepoInfo,
  StartCommitRequest,
} from '../../../../proto/gen/pfs/pfs.ts';

export interface RepoName {
  readonly project: string;
  readonly repo: string;
  /** Left out: user. */
  readonly type?: string;
}

export interface BranchName extends RepoName {
  readonly branch: string;
}

/** What the tests do on pachd itself, behind the gateway's back. */
export interface Pachd {
  createProject(project: string): Promise<void>;
  /** With its repos; one that is not there is no error. */
  deleteProject(project: string): Promise<void>;
  createRepo(name: RepoName): Promise<void>;
  /** One that is not there is no error. */
  deleteRepo(name: RepoName): Promise<void>;
  createBranch(name: BranchName, provenance?: readonly BranchName[]): Promise<void>;
  inspectBranch(name: BranchName): Promise<BranchInfo>;
  /** The newest commit of a branch, as it is now. */
  headOf(name: BranchName): Promise<CommitInfo>;
  /** How many commits a branch has. */
  commitCount(name: BranchName): Promise<number>;
  /** One commit with these files, waited for until it is finished. @returns its id. */
  putFiles(name: BranchName, files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  /** One commit with these files, made by one call on the branch, and not waited for. */
  modifyBranch(name: BranchName, files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  startCommit(name: BranchName): Promise<string>;
  /** Puts files into an open commit, and removes others. */
  writeOpen(
    name: RepoName,
    id: string,
    changes: { readonly put: Readonly<Record<string, string | Uint8Array>>; readonly remove: readonly string[] },
  ): Promise<void>;
  /** Finishes a commit and waits for it. */
  finishCommit(name: RepoName, id: string, options?: { readonly force?: boolean }): Promise<void>;
  robotToken(robot: string): Promise<string>;
  /** Sets what a principal may do with a repo; no roles: nothing. */
  grant(name: RepoName, principal: string, roles: readonly string[]): Promise<void>;
  grantProject(project: string, principal: string, roles: readonly string[]): Promise<void>;
  close(): void;
}

const CALL_MAX_MS = 60_000;
/** A commit of some thousand file sets takes minutes to finish. */
const FINISH_MAX_MS = 1_200_000;

/** Connects to a pachd, HOST:PORT. */
export function connectPachd(address: string, token?: string): Pachd {
  const pfs = new PfsClient(address, credentials.createInsecure());
  const auth = new AuthClient(address, credentials.createInsecure());
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authn-token', token);
  const options = (maxMs = CALL_MAX_MS) => ({ deadline: Date.now() + maxMs });

  const done = <T>(start: (callback: (error: ServiceError | null, value: T) => void) => unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      start((error, value) => (error ? reject(error) : resolve(value)));
    });

  async function waitFinished(name: RepoName, id: string): Promise<void> {
    const request = InspectCommitRequest.create({ commit: { id, repo: repoOf(name) }, wait: CommitState.FINISHED });
    await done((callback) => pfs.inspectCommit(request, metadata, options(FINISH_MAX_MS), callback));
  }

  async function deleteRepo(name: RepoName): Promise<void> {
    const request = DeleteRepoRequest.create({ repo: repoOf(name), force: true });
    await done((callback) => pfs.deleteRepo(request, metadata, options(), callback)).catch(unlessMissing);
  }

  async function listRepos(project: string): Promise<readonly RepoInfo[]> {
    const found: RepoInfo[] = [];
    const request = ListRepoRequest.create({ projects: [{ name: project }] });
    for await (const repo of pfs.listRepo(request, metadata, options())) found.push(repo as RepoInfo);
    return found;
  }

  function modifyFile(messages: readonly ModifyFileRequest['body'][]): Promise<unknown> {
    return done((callback) => {
      const call = pfs.modifyFile(metadata, options(), callback);
      for (const body of messages) call.write(ModifyFileRequest.create({ body }));
      call.end();
    });
  }

  async function modifyRoles(type: ResourceType, resource: string, principal: string, roles: readonly string[]) {
    const request = ModifyRoleBindingRequest.create({
      resource: { type, name: resource },
      principal,
      roles: [...roles],
    });
    await done((callback) => auth.modifyRoleBinding(request, metadata, options(), callback));
  }

  return {
    createProject: async (project) => {
      const request = CreateProjectRequest.create({ project: { name: project } });
      await done((callback) => pfs.createProject(request, metadata, options(), callback));
    },
    deleteProject: async (project) => {
      const repos = await listRepos(project).catch(unlessMissing);
      for (const { repo } of repos ?? []) {
        if (repo?.project?.name === project) await deleteRepo({ project, repo: repo.name, type: repo.type });
      }
      const request = DeleteProjectRequest.create({ project: { name: project }, force: true });
      await done((callback) => pfs.deleteProject(request, metadata, options(), callback)).catch(unlessMissing);
    },
    createRepo: async (name) => {
      const request = CreateRepoRequest.create({ repo: repoOf(name) });
      await done((callback) => pfs.createRepo(request, metadata, options(), callback));
    },
    deleteRepo,
    createBranch: async (name, provenance = []) => {
      const request = CreateBranchRequest.create({ branch: branchOf(name), provenance: provenance.map(branchOf) });
      await done((callback) => pfs.createBranch(request, metadata, options(), callback));
    },
    inspectBranch: (name) => {
      const request = InspectBranchRequest.create({ branch: branchOf(name) });
      return done((callback) => pfs.inspectBranch(request, metadata, options(), callback));
    },
    headOf: async (name) => {
      const request = InspectCommitRequest.create({ commit: { repo: repoOf(name), branch: branchOf(name) } });
      return done<CommitInfo>((callback) => pfs.inspectCommit(request, metadata, options(), callback));
    },
    commitCount: async (name) => {
      const to = { repo: repoOf(name), branch: branchOf(name) };
      let count = 0;
      const request = ListCommitRequest.create({ repo: repoOf(name), to, all: true });
      for await (const _ of pfs.listCommit(request, metadata, options())) count += 1;
      return count;
    },
    putFiles: async (name, files) => {
      const id = await startCommit(name);
      await modifyFile([
        { $case: 'setCommit', value: { id, branch: undefined, repo: repoOf(name) } },
        ...replacements(files),
      ]);
      await finishCommit(name, id);
      return id;
    },
    modifyBranch: async (name, files) => {
      const head = { id: '', branch: branchOf(name), repo: repoOf(name) };
      await modifyFile([{ $case: 'setCommit', value: head }, ...replacements(files)]);
    },
    startCommit,
    writeOpen: async (name, id, { put, remove }) => {
      await modifyFile([
        { $case: 'setCommit', value: { id, branch: undefined, repo: repoOf(name) } },
        ...replacements(put),
        ...remove.map((path) => ({ $case: 'deleteFile', value: { path: `/${path}`, datum: '' } }) as const),
      ]);
    },
    finishCommit,
    robotToken: async (robot) => {
      const request = GetRobotTokenRequest.create({ robot });
      const response = await done<{ token: string }>((callback) =>
        auth.getRobotToken(request, metadata, options(), callback),
      );
      return response.token;
    },
    grant: (name, principal, roles) => modifyRoles(ResourceType.REPO, `${name.project}/${name.repo}`, principal, roles),
    grantProject: (project, principal, roles) => modifyRoles(ResourceType.PROJECT, project, principal, roles),
    close: () => {
      pfs.close();
      auth.close();
    },
  };

  async function startCommit(name: BranchName): Promise<string> {
    const request = StartCommitRequest.create({ branch: branchOf(name) });
    const commit = await done<{ id: string }>((callback) => pfs.startCommit(request, metadata, options(), callback));
    return commit.id;
  }

  async function finishCommit(name: RepoName, id: string, how: { readonly force?: boolean } = {}): Promise<void> {
    const request = FinishCommitRequest.create({ commit: { id, repo: repoOf(name) }, force: how.force ?? false });
    await done((callback) => pfs.finishCommit(request, metadata, options(), callback));
    await waitFinished(name, id);
  }
}

function repoOf(name: RepoName) {
  return { name: name.repo, type: name.type ?? 'user', project: { name: name.project } };
}

function branchOf(name: BranchName) {
  return { name: name.branch, repo: repoOf(name) };
}

/** Messages that put files in the place of what is there. */
function replacements(files: Readonly<Record<string, string | Uint8Array>>): readonly ModifyFileRequest['body'][] {
  return Object.entries(files).flatMap(([path, content]) => [
    { $case: 'deleteFile', value: { path: `/${path}`, datum: '' } },
    { $case: 'addFile', value: { path: `/${path}`, datum: '', source: rawOf(content) } },
  ]);
}

function rawOf(content: string | Uint8Array) {
  return { $case: 'raw', value: Buffer.from(content as Uint8Array) } as const;
}

function unlessMissing(error: unknown): undefined {
  if (/not found|does not exist/.test((error as ServiceError).details ?? '')) return undefined;
  throw error;
}
