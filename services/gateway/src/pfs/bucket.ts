import { type BranchRef, FILE_SET_REPO } from '../pachd/model.ts';
import { Failure } from './failure.ts';

/** What a bucket's name stands for: a branch, or one commit of its repo, read for ever. */
export interface BucketRef extends BranchRef {
  readonly commitId: string | undefined;
}

/** A UUID of version 4 without dashes: pachd allows no branch to be called so. */
const COMMIT_ID = /^[0-9a-f]{12}4[0-9a-f]{19}$/;
/** Names of repos and branches; those of projects begin with a letter or digit. */
const NAME = /^[a-zA-Z0-9_-]+$/;
const PROJECT = /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/;
/** pachd's limit for projects; repos and branches have none, so that of a file name. */
const PROJECT_MAX_CHARACTERS = 51;
const NAME_MAX_CHARACTERS = 255;

const DEFAULT_PROJECT = 'default';
const DEFAULT_BRANCH = 'master';

export function isCommitId(text: string): boolean {
  return COMMIT_ID.test(text);
}

/**
 * Reads a bucket's name: `[<commit>.]<branch>.<repo>.<project>`, or shorter: `<branch>.<repo>` is in project "default",
 * `<repo>` alone is its branch "master".
 * @throws Failure invalid-bucket-name
 */
export function parseBucketName(name: string): BucketRef {
  const parts = name.split('.');
  const commitId = parts[0] !== undefined && isCommitId(parts[0]) && parts.length > 1 ? parts.shift() : undefined;
  const [project = DEFAULT_PROJECT, repo, branch = DEFAULT_BRANCH] =
    parts.length === 3
      ? [parts[2], parts[1], parts[0]]
      : parts.length === 2
        ? [undefined, parts[1], parts[0]]
        : [undefined, parts[0]];
  if (parts.length > 3 || repo === undefined || !isName(repo) || !isName(branch) || !isProject(project)) {
    throw new Failure(
      'invalid-bucket-name',
      'A bucket is named [<commit>.]<branch>.<repo>.<project>, or shorter <branch>.<repo> or <repo>.',
    );
  }
  return { project, repo, branch, commitId };
}

/** The full name of a branch's bucket. */
export function bucketName({ project, repo, branch }: BranchRef): string {
  return `${branch}.${repo}.${project}`;
}

function isName(text: string): boolean {
  return text.length <= NAME_MAX_CHARACTERS && NAME.test(text) && !isCommitId(text) && text !== FILE_SET_REPO;
}

function isProject(text: string): boolean {
  return text.length <= PROJECT_MAX_CHARACTERS && PROJECT.test(text);
}
