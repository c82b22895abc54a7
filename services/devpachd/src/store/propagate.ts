import { branchText, moveBranch, rawBranchNotFound, refOfBranch } from './branches.ts';
import { insertCommit, insertEmptyCommit, type NewCommit, textOf } from './commits.ts';
import type { Db } from './db.ts';
import { notFound, refused, within } from './errors.ts';
import { checkGraph, directProvenance, headsOf, provenanceOf, setProvenance, subvenanceOf } from './provenance.ts';
import type { BranchRecord, CommitRecord, RepoRecord, TriggerRecord } from './records.ts';
import { repoById, repoRef } from './repos.ts';

const SPEC_TYPE = 'spec';

/**
 * Starts a commit on a branch, which then points to it, and one of the same id on each branch that is made from it. Only inside a transaction.
 * The parent is the head of the branch, or the one given; throws when that is still open, and for an output branch.
 */
export function startCommit(db: Db, what: NewCommit): CommitRecord {
  const { parent } = what;
  if (parent && parent.finishing === null) {
    throw refused(`create commit: parent commit ${textOf(db, parent)} has not been finished`);
  }
  const commit = insertCommit(db, what);
  const branch = within('create commit: create commit', () =>
    moveBranch(db, what.repo, what.branch, commit.id, what.createdBy),
  );
  if (branch.provenance.length > 0) {
    throw refused(`cannot start a commit on an output branch: ${branchText(refOfBranch(db, branch))}`);
  }
  propagate(db, branch, commit.id, what.createdBy);
  return commit;
}

export interface BranchPlan {
  readonly repo: RepoRecord;
  readonly name: string;
  /** Where it shall point to; undefined: where it does, or to an empty commit. */
  readonly head: CommitRecord | undefined;
  readonly provenance: readonly BranchRecord[];
  /** Left out: what it has. */
  readonly trigger?: TriggerRecord | undefined;
  /** Of the commits that this makes. */
  readonly setId: string;
  readonly createdBy: string;
}

/**
 * Makes a branch, or changes it: its head, what it is made from, or both. A branch that comes to be made from others gets an open commit, in
 * which that can be; and so do those that are made from it. Only inside a transaction.
 */
export function planBranch(db: Db, { repo, name, head, provenance, trigger, setId, createdBy }: BranchPlan): void {
  const old = db.branches.get([repo.id, name]);
  const oldHead = old && db.commits.get([repo.id, old.head]);
  const changes = provenance.length > 0 && !isSame(provenance, old ? directProvenance(db, old) : []);
  const target = head ?? oldHead;
  const fresh = !target || changes;
  const to = fresh
    ? insertEmptyCommit(db, {
        repo,
        branch: name,
        parent: target,
        provenance: headsOf(db, provenance),
        setId,
        createdBy,
      })
    : target;
  const branch = within('create branch', () => {
    const moved = moveBranch(db, repo, name, to.id, createdBy);
    within('update head', () => setProvenance(db, moved, provenance));
    const linked = db.branches.get([repo.id, name]) ?? moved;
    if (trigger && !db.branches.get([repo.id, trigger.branch])) {
      const missing = rawBranchNotFound({ repo: repoRef(repo), name: trigger.branch });
      throw notFound(`update head: updating branch trigger: ${missing}`);
    }
    if (trigger) db.branches.put([repo.id, name], { ...linked, trigger });
    return linked;
  });
  if (fresh || head) propagate(db, branch, setId, createdBy);
}

/**
 * Restores what holds of branches: the head of one that is made from others is made from their heads. Every branch below `branch` gets an open
 * commit of the id that the change above has. One that is made from nothing but a pipeline's spec does not: that would be a spout.
 */
export function propagate(db: Db, branch: BranchRecord, setId: string, createdBy: string): void {
  checkGraph(db, branch);
  const below = subvenanceOf(db, branch).map((one) => ({ one, above: provenanceOf(db, one) }));
  below.sort((a, b) => a.above.length - b.above.length);
  for (const { one, above } of below) {
    const [first] = above;
    if (above.length === 1 && first && refOfBranch(db, first).repo.type === SPEC_TYPE) continue;
    const repo = repoById(db, one.repoId);
    if (!repo || one.head === setId) continue;
    const provenance = headsOf(db, directProvenance(db, one));
    const parent = db.commits.get([one.repoId, one.head]);
    const what = { repo, branch: one.name, parent, origin: 'auto', description: '', createdBy } as const;
    insertCommit(db, { ...what, setId, provenance });
    moveBranch(db, repo, one.name, setId, createdBy);
  }
}

function isSame(some: readonly BranchRecord[], others: readonly BranchRecord[]): boolean {
  const seqs = new Set(others.map(({ seq }) => seq));
  return some.length === others.length && some.every(({ seq }) => seqs.has(seq));
}
