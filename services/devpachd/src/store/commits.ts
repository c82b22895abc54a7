import { randomUUID } from 'node:crypto';
import { releaseLayers } from '../files/layers.ts';
import { moveBranch } from './branches.ts';
import { type Db, nextNumber, underPrefix } from './db.ts';
import { PfsError, refused } from './errors.ts';
import { commitText } from './names.ts';
import { directProvenance, headsOf } from './provenance.ts';
import type { CommitKey, CommitRecord, Origin, RepoRecord } from './records.ts';
import { branchesOf, repoById, repoRef } from './repos.ts';

export function newId(): string {
  return randomUUID().replaceAll('-', '');
}

export function textOf(db: Db, commit: CommitRecord): string {
  const repo = repoById(db, commit.repoId);
  if (!repo) throw new Error(`commit ${commit.id} without a repo`);
  return commitText({ repo: repoRef(repo), id: commit.id, branch: undefined });
}

export function alreadyFinished(db: Db, commit: CommitRecord): PfsError {
  return refused(`commit ${textOf(db, commit)} has already finished`);
}

export function parentOfCommit(db: Db, commit: CommitRecord): CommitRecord | undefined {
  return commit.parent === null ? undefined : db.commits.get([commit.repoId, commit.parent]);
}

export function childrenOf(db: Db, commit: CommitRecord): readonly CommitRecord[] {
  return [...underPrefix(db.children as never, [commit.repoId, commit.id])].flatMap(({ value }) => {
    const child = db.commits.get([commit.repoId, value as string]);
    return child ? [child] : [];
  });
}

/** Only inside a transaction. */
export function putCommit(db: Db, commit: CommitRecord): CommitRecord {
  const updated = { ...commit, updatedAt: Date.now() };
  db.commits.put([commit.repoId, commit.id], updated);
  return updated;
}

export interface NewCommit {
  readonly repo: RepoRecord;
  readonly branch: string;
  readonly parent: CommitRecord | undefined;
  readonly origin: Origin;
  readonly description: string;
  readonly createdBy: string;
  /** The commits that it is made from; left out: none. */
  readonly provenance?: readonly CommitRecord[];
  /** Its id, when it comes with commits of other repos; left out: a new one. */
  readonly setId?: string;
}

/** Makes an open commit that no branch points to yet. Only inside a transaction. */
export function insertCommit(db: Db, what: NewCommit): CommitRecord {
  const seq = nextNumber(db, 'commit');
  const now = Date.now();
  const provenance = what.provenance ?? [];
  const commit: CommitRecord = {
    seq,
    repoId: what.repo.id,
    id: what.setId ?? newId(),
    branch: what.branch,
    origin: what.origin,
    description: what.description,
    parent: what.parent?.id ?? null,
    provenance: provenance.map(({ repoId, id }) => [repoId, id]),
    started: now,
    finishing: null,
    finished: null,
    error: '',
    sizeBytes: 0,
    compactingMs: null,
    validatingMs: null,
    createdBy: what.createdBy,
    createdAt: now,
    updatedAt: now,
    metadata: {},
    diff: [],
    total: null,
  };
  db.commits.put([commit.repoId, commit.id], commit);
  db.repoCommits.put([commit.repoId, seq], commit.id);
  db.allCommits.put(seq, [commit.repoId, commit.id]);
  db.commitSets.put([commit.id, seq], commit.repoId);
  for (const { repoId, id } of provenance) db.commitSubvenance.put([repoId, id, seq], [commit.repoId, commit.id]);
  if (what.parent) db.children.put([commit.repoId, what.parent.id, seq], commit.id);
  return commit;
}

/** An empty commit, as a branch without a head gets: finished from the start, or open when it is made from others. Only inside a transaction. */
export function insertEmptyCommit(
  db: Db,
  what: Omit<NewCommit, 'origin' | 'description'> & { readonly provenance: readonly CommitRecord[] },
): CommitRecord {
  const commit = insertCommit(db, { ...what, origin: 'auto', description: '' });
  if (what.provenance.length > 0) return commit;
  return putCommit(db, { ...commit, finishing: commit.started, finished: commit.started, total: [] });
}

/**
 * Ends the writing. The finisher does the rest. Only inside a transaction.
 * @param at when; a commit that nobody saw open is finishing from its start
 */
export function finishCommit(db: Db, commit: CommitRecord, description: string, error: string, at = Date.now()): void {
  if (commit.finishing !== null) throw alreadyFinished(db, commit);
  putCommit(db, { ...commit, finishing: at, description: description || commit.description, error });
  db.finishing.put([commit.repoId, commit.seq], commit.id);
}

/**
 * Removes a commit: its children get its parent, and so do branches that point to it. One that has no parent gets an empty commit of the id
 * `setId`. Only inside a transaction.
 */
export function deleteCommit(db: Db, commit: CommitRecord, setId: string, deletedBy: string): void {
  const repo = repoById(db, commit.repoId);
  if (!repo) return;
  const children = childrenOf(db, commit);
  for (const child of children) {
    if (child.finished !== null) continue;
    const suffix = child.finishing === null ? '' : ', consider using WaitCommit';
    throw refused(`cannot squash until child commit ${textOf(db, child)} is finished${suffix}`);
  }
  removeCommit(db, commit);
  for (const child of children) {
    putCommit(db, { ...child, parent: commit.parent });
    db.children.remove([commit.repoId, commit.id, child.seq]);
    if (commit.parent !== null) db.children.put([commit.repoId, commit.parent, child.seq], child.id);
  }
  const heads = branchesOf(db, repo.id).filter(({ head }) => head === commit.id);
  const [first] = heads;
  if (!first) return;
  const empty = () => {
    const provenance = headsOf(db, directProvenance(db, first));
    const what = { repo, branch: first.name, parent: undefined, provenance, setId, createdBy: deletedBy };
    return insertEmptyCommit(db, what).id;
  };
  const head = commit.parent ?? empty();
  for (const { name } of heads) moveBranch(db, repo, name, head, deletedBy);
}

/** Removes the records of a commit and its hold on its files, and nothing else. Only inside a transaction. */
function removeCommit(db: Db, commit: CommitRecord): void {
  db.commits.remove([commit.repoId, commit.id]);
  db.repoCommits.remove([commit.repoId, commit.seq]);
  db.allCommits.remove(commit.seq);
  db.commitSets.remove([commit.id, commit.seq]);
  db.finishing.remove([commit.repoId, commit.seq]);
  if (commit.parent !== null) db.children.remove([commit.repoId, commit.parent, commit.seq]);
  for (const [repoId, id] of commit.provenance) db.commitSubvenance.remove([repoId, id, commit.seq]);
  for (const { key, value } of [...underPrefix(db.commitSubvenance as never, [commit.repoId, commit.id])]) {
    db.commitSubvenance.remove(key as [number, string, number]);
    const [repoId, id] = value as CommitKey;
    const below = db.commits.get([repoId, id]);
    const isOther = ([of, at]: CommitKey) => of !== commit.repoId || at !== commit.id;
    if (below) db.commits.put([repoId, id], { ...below, provenance: below.provenance.filter(isOther) });
  }
  releaseLayers(db, commit.diff);
  if (commit.total) releaseLayers(db, commit.total);
}

/** Removes a repo, of which the branches are gone, with its commits. Only inside a transaction. */
export function removeRepo(db: Db, repo: RepoRecord): void {
  for (const { value } of [...underPrefix(db.repoCommits as never, [repo.id])]) {
    const commit = db.commits.get([repo.id, value as string]);
    if (commit) removeCommit(db, commit);
  }
  db.repos.remove([repo.project, repo.name, repo.type]);
  db.repoById.remove(repo.id);
  db.leases.remove(`repo:${repo.id}`);
}

/** Commits of a repo in the order they were started, or the other way round. */
export function* commitsOf(db: Db, repoId: number, newestFirst: boolean): Generator<CommitRecord> {
  for (const { value } of [...underPrefix(db.repoCommits as never, [repoId], { reverse: newestFirst })]) {
    const commit = db.commits.get([repoId, value as string]);
    if (commit) yield commit;
  }
}

export function* allCommits(db: Db, newestFirst: boolean): Generator<CommitRecord> {
  for (const { value } of [...db.allCommits.getRange({ reverse: newestFirst })]) {
    const commit = db.commits.get(value);
    if (commit) yield commit;
  }
}

export function commitsOfSet(db: Db, id: string): readonly CommitRecord[] {
  return [...underPrefix(db.commitSets as never, [id])].flatMap(({ value }) => {
    const commit = db.commits.get([value as number, id]);
    return commit ? [commit] : [];
  });
}

export function repoOf(db: Db, commit: CommitRecord): RepoRecord {
  const repo = repoById(db, commit.repoId);
  if (!repo) throw new PfsError('notFound', `commit ${commit.id} has no repo any more`);
  return repo;
}
