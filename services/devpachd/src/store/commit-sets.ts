import { commitsOfSet } from './commits.ts';
import { type Db, underPrefix } from './db.ts';
import type { CommitKey, CommitRecord } from './records.ts';

/** The commits that a commit is made from. */
export function commitProvenance(db: Db, commit: CommitRecord): readonly CommitRecord[] {
  return commit.provenance.flatMap((key) => found(db, key));
}

/** The commits that are made from a commit. */
export function commitSubvenance(db: Db, commit: CommitRecord): readonly CommitRecord[] {
  return [...underPrefix(db.commitSubvenance as never, [commit.repoId, commit.id])].flatMap(({ value }) =>
    found(db, value as CommitKey),
  );
}

/** All that is made from a commit, over however many steps, the nearest first. */
export function allSubvenance(db: Db, commit: CommitRecord): readonly CommitRecord[] {
  return reach([commit], (one) => commitSubvenance(db, one));
}

/** What the commits of a set are made from outside of it: they count as of the set where it has no commit of their repo. */
export function aliasesOfSet(db: Db, id: string): readonly CommitRecord[] {
  return reach(commitsOfSet(db, id), (one) => commitProvenance(db, one)).filter((one) => one.id !== id);
}

/** The commits of a set with its aliases, each after all that it is made from. */
export function wholeSet(db: Db, id: string): readonly CommitRecord[] {
  const commits = [...aliasesOfSet(db, id), ...commitsOfSet(db, id)];
  const left = new Set(commits.map(({ seq }) => seq));
  const sorted: CommitRecord[] = [];
  const visit = (commit: CommitRecord) => {
    if (!left.delete(commit.seq)) return;
    for (const one of commitProvenance(db, commit)) visit(one);
    sorted.push(commit);
  };
  for (const commit of commits) visit(commit);
  return sorted;
}

/** The ids of the other sets that have commits made from commits of this one. */
export function subvenantSets(db: Db, id: string): readonly string[] {
  const below = reach(commitsOfSet(db, id), (one) => commitSubvenance(db, one));
  // A set is below as a whole: what is made from its other commits is, too.
  const ids = new Set(below.map((one) => one.id));
  ids.delete(id);
  for (const other of ids) {
    for (const one of reach(commitsOfSet(db, other), (at) => commitSubvenance(db, at)))
      if (one.id !== id) ids.add(one.id);
  }
  return [...ids];
}

function found(db: Db, [repoId, id]: CommitKey): readonly CommitRecord[] {
  const commit = db.commits.get([repoId, id]);
  return commit ? [commit] : [];
}

function reach(
  from: readonly CommitRecord[],
  next: (one: CommitRecord) => readonly CommitRecord[],
): readonly CommitRecord[] {
  const seen = new Set(from.map(({ seq }) => seq));
  const reached: CommitRecord[] = [];
  for (let level = from.flatMap(next); level.length > 0; level = level.flatMap(next)) {
    level = level.filter(({ seq }) => !seen.has(seq) && seen.add(seq));
    reached.push(...level);
  }
  return reached;
}
