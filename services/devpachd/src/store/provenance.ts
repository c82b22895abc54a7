import { branchText, refOfBranch } from './branches.ts';
import { type Db, underPrefix } from './db.ts';
import { PfsError, refused } from './errors.ts';
import { repoKeyText, repoText } from './names.ts';
import type { BranchKey, BranchRecord, CommitRecord } from './records.ts';
import { branchesOf } from './repos.ts';

/** Branches stand on branches of other repos: what is in the one is made from what is in the others. */
export function directProvenance(db: Db, branch: BranchRecord): readonly BranchRecord[] {
  return branch.provenance.flatMap((key) => found(db, key));
}

function directSubvenance(db: Db, branch: BranchRecord): readonly BranchRecord[] {
  return [...underPrefix(db.branchSubvenance as never, [branch.repoId, branch.name])].flatMap(({ value }) =>
    found(db, value as BranchKey),
  );
}

/** All that a branch is made from, the nearest first. */
export function provenanceOf(db: Db, branch: BranchRecord): readonly BranchRecord[] {
  return closure(branch, (one) => directProvenance(db, one));
}

/** All that is made from a branch, the nearest first. */
export function subvenanceOf(db: Db, branch: BranchRecord): readonly BranchRecord[] {
  return closure(branch, (one) => directSubvenance(db, one));
}

/** Sets what a branch is made from. Only inside a transaction; throws when that is made from the branch itself. */
export function setProvenance(db: Db, branch: BranchRecord, provenance: readonly BranchRecord[]): void {
  const below = new Set(subvenanceOf(db, branch).map(({ seq }) => seq));
  const cycle = provenance.find(({ seq }) => below.has(seq));
  if (cycle) {
    const [to, from] = [cycle, branch].map((one) => refOfBranch(db, one)).map(keyText);
    throw new PfsError('internal', `cycle detected because ${to} is already in the subvenance of ${from}`);
  }
  unlink(db, branch);
  for (const { repoId, name } of provenance) {
    db.branchSubvenance.put([repoId, name, branch.seq], [branch.repoId, branch.name]);
  }
  const keys = provenance.map(({ repoId, name }): BranchKey => [repoId, name]);
  db.branches.put([branch.repoId, branch.name], { ...branch, provenance: keys });
}

/** Removes a branch. Only inside a transaction; throws while others are made from it, unless it is forced. */
export function deleteBranch(db: Db, branch: BranchRecord, force: boolean): void {
  const below = directSubvenance(db, branch);
  if (below.length > 0 && !force) {
    const name = branchText(refOfBranch(db, branch));
    const others = below.map((one) => branchText(refOfBranch(db, one))).join(' ');
    throw refused(`branch "${name}" cannot be deleted because it's in the direct provenance of [${others}]`);
  }
  const followers = branchesOf(db, branch.repoId).filter(({ trigger }) => trigger?.branch === branch.name);
  if (!force) checkUntriggered(db, branch, followers);
  for (const { trigger: _, ...rest } of followers) db.branches.put([rest.repoId, rest.name], rest);
  for (const one of below) {
    const provenance = one.provenance.filter(([repoId, name]) => repoId !== branch.repoId || name !== branch.name);
    db.branchSubvenance.remove([branch.repoId, branch.name, one.seq]);
    db.branches.put([one.repoId, one.name], { ...one, provenance });
  }
  unlink(db, branch);
  db.branches.remove([branch.repoId, branch.name]);
}

/** Throws for a branch that others of its repo follow, or that follows one. */
function checkUntriggered(db: Db, branch: BranchRecord, followers: readonly BranchRecord[]): void {
  const text = (one: BranchRecord) => branchText(refOfBranch(db, one));
  if (followers.length > 0) {
    const others = followers
      .toSorted((a, b) => a.seq - b.seq)
      .map(text)
      .join(' ');
    throw refused(`branch "${text(branch)}" cannot be deleted because it is triggered by branches [${others}]`);
  }
  if (!branch.trigger) return;
  const followed = branchText({ ...refOfBranch(db, branch), name: branch.trigger.branch });
  throw refused(`branch "${text(branch)}" cannot be deleted because it triggers branches [${followed}]`);
}

/** Throws when two branches of one repo come to be connected, over however many others. */
export function checkGraph(db: Db, branch: BranchRecord): void {
  const connected = [branch, ...closure(branch, (one) => [...directProvenance(db, one), ...directSubvenance(db, one)])];
  const repos = new Set<number>();
  for (const one of connected) {
    if (repos.has(one.repoId)) {
      const repo = repoText(refOfBranch(db, one).repo);
      const what = `multiple branches from the same repo, "${repo}", cannot participate in a DAG`;
      throw refused(`validate DAG at end of transaction: ${what}`);
    }
    repos.add(one.repoId);
  }
}

/** The commits that branches point to. */
export function headsOf(db: Db, branches: readonly BranchRecord[]): readonly CommitRecord[] {
  return branches.flatMap(({ repoId, name }) => {
    // Read again: it may just have been moved.
    const head = db.branches.get([repoId, name])?.head;
    const commit = head === undefined ? undefined : db.commits.get([repoId, head]);
    return commit ? [commit] : [];
  });
}

function found(db: Db, [repoId, name]: BranchKey): readonly BranchRecord[] {
  const branch = db.branches.get([repoId, name]);
  return branch ? [branch] : [];
}

function unlink(db: Db, branch: BranchRecord): void {
  for (const [repoId, name] of branch.provenance) db.branchSubvenance.remove([repoId, name, branch.seq]);
}

/** What is reached from a branch, breadth first, without the branch itself. */
function closure(branch: BranchRecord, next: (one: BranchRecord) => readonly BranchRecord[]): readonly BranchRecord[] {
  const seen = new Set([branch.seq]);
  const reached: BranchRecord[] = [];
  for (let level = next(branch); level.length > 0; level = level.flatMap(next)) {
    level = level.filter(({ seq }) => !seen.has(seq) && seen.add(seq));
    reached.push(...level);
  }
  return reached;
}

function keyText(branch: ReturnType<typeof refOfBranch>): string {
  return `${repoKeyText(branch.repo)}@${branch.name}`;
}
