import type { FileSummary } from './model.ts';
import { type BranchRef, type CommitRef, commitKey, FILE_SET_REPO, type FileSource, type RepoRef } from './model.ts';
import { type Commit, type FileInfo, FileType, type Timestamp } from './proto.ts';

/** Plain values to messages and back. The repo type is always sent: pachd fails on most calls without it. */

export function repoMessage({ project, repo }: RepoRef) {
  return { name: repo, type: 'user', project: { name: project } };
}

/** A repo, a branch, a commit or file set as one text: what is told apart by it is not the same. */
export function repoName({ project, repo }: RepoRef): string {
  return `${project}/${repo}`;
}

export function branchName(branch: BranchRef): string {
  return `${repoName(branch)}@${branch.branch}`;
}

export function sourceName(source: FileSource): string {
  return 'fileSetId' in source ? source.fileSetId : commitKey(source);
}

export function branchMessage({ project, repo, branch }: BranchRef) {
  return { repo: repoMessage({ project, repo }), name: branch };
}

export function commitMessage({ project, repo, commitId }: CommitRef): Commit {
  return { repo: repoMessage({ project, repo }), id: commitId, branch: undefined };
}

export function sourceMessage(source: FileSource): Commit {
  return 'fileSetId' in source
    ? commitMessage({ project: 'default', repo: FILE_SET_REPO, commitId: source.fileSetId })
    : commitMessage(source);
}

export function fileMessage(source: FileSource, path: string) {
  return { commit: sourceMessage(source), path, datum: '' };
}

export function timeMs(timestamp: Timestamp | undefined): number | undefined {
  return timestamp === undefined ? undefined : timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1e6);
}

export function fileSummary(info: FileInfo): FileSummary {
  return {
    path: info.file?.path ?? '',
    kind: info.fileType === FileType.DIR ? 'directory' : 'file',
    sizeBytes: info.sizeBytes,
    hash: info.hash,
  };
}
