import { type Db, nextNumber } from './db.ts';
import { notFound, refused, within } from './errors.ts';
import { type BranchRef, checkBranchNameLength, checkZeroBytes, isCommitId, quoted, repoText } from './names.ts';
import type { BranchRecord, RepoRecord } from './records.ts';
import { branchesOf, findRepo, rawRepoNotFound, repoById, repoRef } from './repos.ts';

export function rawBranchNotFound(branch: BranchRef): string {
  return `branch (id=0, branch=${repoText(branch.repo)}@${branch.name}) not found`;
}

export function branchNotFound(branch: BranchRef): string {
  return `branch ${quoted(branch.name)} not found in repo ${repoText(branch.repo)}`;
}

/** The branch. What is missing, a project, a repo or only the branch, is told in lines, as pachd's joined errors are. */
export function lookUpBranch(db: Db, branch: BranchRef): BranchRecord {
  checkZeroBytes(branch.name, 'could not get branch');
  const missing: string[] = [];
  if (!db.projects.get(branch.repo.project)) {
    missing.push(`get project by name: project ${quoted(branch.repo.project)} not found`);
  }
  const repo = findRepo(db, branch.repo);
  if (!repo) missing.push(rawRepoNotFound(branch.repo));
  const found = repo && db.branches.get([repo.id, branch.name]);
  if (!found) throw notFound([...missing, rawBranchNotFound(branch)].join('\n'));
  return found;
}

/** Points the branch to a commit, and makes it where it is missing. Only inside a transaction. */
export function moveBranch(db: Db, repo: RepoRecord, name: string, head: string, createdBy: string): BranchRecord {
  const now = Date.now();
  const old = db.branches.get([repo.id, name]);
  if (!old && isCommitId(name)) throw refused('update head: branch name cannot be a UUID V4');
  if (!old) within('update head', () => checkBranchNameLength(name));
  const branch: BranchRecord = old
    ? { ...old, head, updatedAt: now }
    : {
        seq: nextNumber(db, 'branch'),
        repoId: repo.id,
        name,
        head,
        provenance: [],
        createdAt: now,
        updatedAt: now,
        createdBy,
        metadata: {},
      };
  db.branches.put([repo.id, name], branch);
  return branch;
}

/** As messages name it. */
export function branchText(branch: BranchRef): string {
  return `${repoText(branch.repo)}@${branch.name}`;
}

export function refOfBranch(db: Db, branch: BranchRecord): BranchRef {
  const repo = repoById(db, branch.repoId);
  if (!repo) throw new Error(`branch ${branch.name} without a repo`);
  return { repo: repoRef(repo), name: branch.name };
}

/** Newest first, or oldest first. */
export function listBranches(db: Db, repoId: number, reverse: boolean): readonly BranchRecord[] {
  return [...branchesOf(db, repoId)].sort((a, b) => (reverse ? a.seq - b.seq : b.seq - a.seq));
}

export function listAllBranches(db: Db, reverse: boolean): readonly BranchRecord[] {
  return [...db.branches.getRange()]
    .map(({ value }) => value)
    .sort((a, b) => (reverse ? a.seq - b.seq : b.seq - a.seq));
}
