import { refused } from './errors.ts';

/** A repo as every message names it; the project is filled in, the type is as it was sent. */
export interface RepoRef {
  readonly project: string;
  readonly name: string;
  readonly type: string;
}

export interface BranchRef {
  readonly repo: RepoRef;
  readonly name: string;
}

/** A commit as a request addresses it: by id, by branch, or with ancestry after either. */
export interface CommitRef {
  readonly repo: RepoRef;
  readonly id: string;
  readonly branch: BranchRef | undefined;
}

export const DEFAULT_PROJECT = 'default';
export const USER_TYPE = 'user';
/** File sets are read as commits of this repo, which nobody can make. */
export const FILE_SETS_REPO = '__filesets__';

const REPO_TYPES: ReadonlySet<string> = new Set(['user', 'meta', 'spec', 'unknown']);
const PROJECT_NAME_MAX = 51;
const NAME = /^[a-zA-Z0-9_-]+$/;
const COMMIT_ID = /^[0-9a-fA-F]{12}4[0-9a-fA-F]{19}$/;

export function isCommitId(text: string): boolean {
  return COMMIT_ID.test(text);
}

export function repoText(repo: RepoRef): string {
  return repo.type === USER_TYPE ? `${repo.project}/${repo.name}` : `${repo.project}/${repo.name}.${repo.type}`;
}

export function repoKeyText(repo: RepoRef): string {
  return `${repo.project}/${repo.name}.${repo.type}`;
}

export function commitText(commit: CommitRef): string {
  const relative = commit.id === '' || /^[.^~]/.test(commit.id);
  const branch = commit.branch?.name ?? '';
  return `${repoText(commit.repo)}@${relative && branch !== '' ? branch + commit.id : commit.id}`;
}

/** What an entry of an index may have in pachd's database, which refuses longer names by it. */
const INDEX_ROW_MAX_BYTES = 2704;

/** What pachd's database says of a row that does not fit into an index, or undefined. Postgres may press a name together first; this does not. */
function indexRowError(bytes: number, index: string): string | undefined {
  const aligned = align(bytes);
  if (aligned <= INDEX_ROW_MAX_BYTES) return undefined;
  const limit = `exceeds btree version 4 maximum ${INDEX_ROW_MAX_BYTES}`;
  return `ERROR: index row size ${aligned} ${limit} for index "${index}" (SQLSTATE 54000)`;
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Throws for a repo name that pachd's database would not take. */
export function checkRepoNameLength(repo: RepoRef): void {
  const error = indexRowError(20 + align(4 + Buffer.byteLength(repo.name)), 'repos_name_project_id_type_key');
  if (error) throw refused(`could not create repo "${repoText(repo)}": upsert repo: ${error}`);
}

/** The same for a branch. */
export function checkBranchNameLength(name: string): void {
  const error = indexRowError(20 + Buffer.byteLength(name), 'branches_repo_id_name_key');
  if (error) throw refused(`could not create branch: ${error}`);
}

/** Throws unless the name can stand for a repo or a branch. */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw refused(`name (${name}) invalid: only alphanumeric characters, underscores, and dashes are allowed`);
  }
}

export function checkProjectName(name: string | undefined): void {
  if (name === undefined) throw refused('nil project');
  if (name === DEFAULT_PROJECT) return;
  const bytes = Buffer.byteLength(name);
  if (bytes > PROJECT_NAME_MAX) {
    throw refused(
      `project name "${name}" is ${bytes - PROJECT_NAME_MAX} characters longer than the ${PROJECT_NAME_MAX} max`,
    );
  }
  checkName(name);
  if (!/^[a-zA-Z0-9]/.test(name)) throw refused('project names must start with an alphanumeric character');
}

/** pachd's database takes no zero bytes, and its error is what a client sees. */
export function checkZeroBytes(name: string, during: string): void {
  if (!name.includes('\0')) return;
  throw refused(`${during}: ERROR: invalid byte sequence for encoding "UTF8": 0x00 (SQLSTATE 22021)`);
}

/** It has an enum of repo types, too. */
export function checkRepoType(type: string, during: string): void {
  if (!REPO_TYPES.has(type)) {
    throw refused(`${during}: ERROR: invalid input value for enum pfs.repo_type: "${type}" (SQLSTATE 22P02)`);
  }
}

/** A name in quotation marks, as Go's %q writes it. */
export function quoted(name: string): string {
  const escaped = name.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}/gu, (char) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    return short ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}
