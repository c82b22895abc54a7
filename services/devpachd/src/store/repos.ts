import { type Db, nextNumber, underPrefix } from './db.ts';
import { notFound, PfsError } from './errors.ts';
import { checkRepoNameLength, checkRepoType, checkZeroBytes, type RepoRef, repoText } from './names.ts';
import type { BranchRecord, RepoRecord } from './records.ts';

/** The repo, if it is there. Throws for a type that pachd's database does not know. */
export function findRepo(db: Db, repo: RepoRef): RepoRecord | undefined {
  for (const name of [repo.project, repo.name]) checkZeroBytes(name, 'scanning repo row');
  checkRepoType(repo.type, 'scanning repo row');
  return db.repos.get([repo.project, repo.name, repo.type]);
}

/** Throws `repo P/R not found`. */
export function getRepo(db: Db, repo: RepoRef): RepoRecord {
  const found = findRepo(db, repo);
  if (!found) throw notFound(`repo ${repoText(repo)} not found`);
  return found;
}

export function rawRepoNotFound(repo: RepoRef): string {
  return `repo (id=0, project=${repo.project}, name=${repo.name}, type=${repo.type}) not found`;
}

export function repoById(db: Db, id: number): RepoRecord | undefined {
  const key = db.repoById.get(id);
  return key && db.repos.get(key);
}

export function repoRef(repo: RepoRecord): RepoRef {
  return { project: repo.project, name: repo.name, type: repo.type };
}

export function createRepo(db: Db, repo: RepoRef, description: string): RepoRecord {
  checkRepoNameLength(repo);
  const id = nextNumber(db, 'repo');
  const record: RepoRecord = { ...repo, id, description, createdAt: Date.now(), metadata: {} };
  putRepo(db, record);
  db.repoById.put(id, [repo.project, repo.name, repo.type]);
  return record;
}

export function putRepo(db: Db, repo: RepoRecord): void {
  db.repos.put([repo.project, repo.name, repo.type], repo);
}

export function repoExists(repo: RepoRef): PfsError {
  return new PfsError('alreadyExists', `repo ${repoText(repo)} already exists`);
}

/** In order of project, name and type; of all projects, or of those named. */
export function listRepos(db: Db, projects: readonly string[], type: string): readonly RepoRecord[] {
  const wanted = new Set(projects);
  return [...db.repos.getRange()]
    .map(({ value }) => value)
    .filter((repo) => (wanted.size === 0 || wanted.has(repo.project)) && (type === '' || repo.type === type));
}

/** A user repo goes together with the system repos of its name. */
export function relatedRepos(db: Db, repo: RepoRecord): readonly RepoRecord[] {
  if (repo.type !== 'user') return [repo];
  return [...underPrefix(db.repos as never, [repo.project, repo.name])].map(({ value }) => value as RepoRecord);
}

export function branchesOf(db: Db, repoId: number): readonly BranchRecord[] {
  return [...underPrefix(db.branches as never, [repoId])].map(({ value }) => value as BranchRecord);
}
