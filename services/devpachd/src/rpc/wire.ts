import type { Duration } from '../../../../proto/gen/google/protobuf/duration.ts';
import type { Timestamp } from '../../../../proto/gen/google/protobuf/timestamp.ts';
import {
  Branch,
  BranchInfo,
  Commit,
  CommitInfo,
  type File,
  FileInfo,
  FileType,
  OriginKind,
  ProjectInfo,
  Repo,
  RepoInfo,
} from '../../../../proto/gen/pfs/pfs.ts';
import type { Node, NodeInfo } from '../files/tree.ts';
import { refOfBranch } from '../store/branches.ts';
import { commitProvenance, commitSubvenance } from '../store/commit-sets.ts';
import { childrenOf, repoOf } from '../store/commits.ts';
import type { Db } from '../store/db.ts';
import { refused } from '../store/errors.ts';
import { type BranchRef, type CommitRef, DEFAULT_PROJECT, type RepoRef } from '../store/names.ts';
import { isDirPath } from '../store/paths.ts';
import { directProvenance, provenanceOf, subvenanceOf } from '../store/provenance.ts';
import type { BranchRecord, CommitRecord, ProjectRecord, RepoRecord } from '../store/records.ts';
import { branchesOf, repoRef } from '../store/repos.ts';

export function toTimestamp(ms: number): Timestamp {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}

function toDuration(ms: number): Duration {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}

/** The project is filled in, the type is not: only CreateRepo does that. */
export function toRepoRef(repo: Repo): RepoRef {
  return { project: repo.project?.name || DEFAULT_PROJECT, name: repo.name, type: repo.type };
}

export function toBranchRef(branch: Branch | undefined): BranchRef {
  if (!branch) throw refused('branch cannot be nil');
  if (!branch.repo) throw refused('branch repo cannot be nil');
  return { repo: toRepoRef(branch.repo), name: branch.name };
}

/** Throws for a commit that is missing, or that does not say of which repo it is. */
export function toCommitRef(commit: Commit | undefined): CommitRef {
  if (!commit) throw refused('commit cannot be nil');
  const repo = commit.repo ?? commit.branch?.repo;
  if (!repo) throw refused('commit must have a repo');
  const ref = toRepoRef(repo);
  const { branch } = commit;
  return {
    repo: ref,
    id: commit.id,
    branch: branch && { repo: branch.repo ? toRepoRef(branch.repo) : ref, name: branch.name },
  };
}

export function toFileRef(file: File | undefined): { readonly file: File; readonly commit: CommitRef } {
  if (!file) throw refused('file cannot be nil');
  return { file, commit: toCommitRef(file.commit) };
}

function fromRepoRef(repo: RepoRef): Repo {
  return Repo.fromPartial({ name: repo.name, type: repo.type, project: { name: repo.project } });
}

function fromBranchRef(branch: BranchRef): Branch {
  return Branch.fromPartial({ repo: fromRepoRef(branch.repo), name: branch.name });
}

/** A commit in an answer: never with its branch. */
export function fromCommit(repo: RepoRef, id: string): Commit {
  return Commit.fromPartial({ repo: fromRepoRef(repo), id });
}

/** A commit as one that others are related to: with its branch. */
function withBranch(db: Db, commit: CommitRecord): Commit {
  const repo = repoRef(repoOf(db, commit));
  return { ...fromCommit(repo, commit.id), branch: fromBranchRef({ repo, name: commit.branch }) };
}

export function fromProject(project: ProjectRecord): ProjectInfo {
  return ProjectInfo.fromPartial({
    project: { name: project.name },
    description: project.description,
    createdAt: toTimestamp(project.createdAt),
    createdBy: project.createdBy,
    metadata: { ...project.metadata },
  });
}

export function fromRepo(db: Db, repo: RepoRecord): RepoInfo {
  const ref = repoRef(repo);
  return RepoInfo.fromPartial({
    repo: fromRepoRef(ref),
    created: toTimestamp(repo.createdAt),
    description: repo.description,
    branches: branchesOf(db, repo.id).map(({ name }) => fromBranchRef({ repo: ref, name })),
    metadata: { ...repo.metadata },
  });
}

export function fromBranch(db: Db, branch: BranchRecord): BranchInfo {
  const ref = refOfBranch(db, branch);
  const all = (branches: readonly BranchRecord[]) => branches.map((one) => fromBranchRef(refOfBranch(db, one)));
  return BranchInfo.fromPartial({
    branch: fromBranchRef(ref),
    head: fromCommit(ref.repo, branch.head),
    provenance: all(provenanceOf(db, branch)),
    subvenance: all(subvenanceOf(db, branch)),
    directProvenance: all(directProvenance(db, branch)),
    trigger: branch.trigger,
    createdBy: branch.createdBy,
    createdAt: toTimestamp(branch.createdAt),
    updatedAt: toTimestamp(branch.updatedAt),
    metadata: { ...branch.metadata },
  });
}

export function fromCommitRecord(db: Db, commit: CommitRecord): CommitInfo {
  const repo = repoRef(repoOf(db, commit));
  const time = (ms: number | null) => (ms === null ? undefined : toTimestamp(ms));
  return CommitInfo.fromPartial({
    commit: fromCommit(repo, commit.id),
    origin: { kind: commit.origin === 'user' ? OriginKind.USER : OriginKind.AUTO },
    description: commit.description,
    parentCommit: commit.parent === null ? undefined : fromCommit(repo, commit.parent),
    childCommits: childrenOf(db, commit).map((child) => withBranch(db, child)),
    directProvenance: commitProvenance(db, commit).map((one) => withBranch(db, one)),
    directSubvenance: commitSubvenance(db, commit).map((one) => withBranch(db, one)),
    started: toTimestamp(commit.started),
    finishing: time(commit.finishing),
    finished: time(commit.finished),
    error: commit.error,
    details: {
      sizeBytes: commit.sizeBytes,
      compactingTime: commit.compactingMs === null ? undefined : toDuration(commit.compactingMs),
      validatingTime: commit.validatingMs === null ? undefined : toDuration(commit.validatingMs),
    },
    metadata: { ...commit.metadata },
    createdBy: commit.createdBy,
    createdAt: toTimestamp(commit.createdAt),
    updatedAt: toTimestamp(commit.updatedAt),
  });
}

/** `commit` is the one that was read, `committedAt` when its writing ended. */
export function fromNode(commit: Commit, committedAt: number | null, node: Node, info: NodeInfo): FileInfo {
  return FileInfo.fromPartial({
    file: { commit, path: node.path, datum: node.datum },
    fileType: isDirPath(node.path) ? FileType.DIR : FileType.FILE,
    committed: committedAt === null ? undefined : toTimestamp(committedAt),
    sizeBytes: info.sizeBytes,
    hash: info.hash,
  });
}
