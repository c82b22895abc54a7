import { branchNotFound } from './branches.ts';
import { aliasesOfSet } from './commit-sets.ts';
import { parentOfCommit, repoOf } from './commits.ts';
import type { Db } from './db.ts';
import { notFound, refused, within } from './errors.ts';
import { type CommitRef, commitText, isCommitId, type RepoRef, repoKeyText, repoText, USER_TYPE } from './names.ts';
import { findProject } from './projects.ts';
import type { CommitRecord, RepoRecord } from './records.ts';
import { findRepo } from './repos.ts';

const ANCESTRY = /^(?:\.(\d+))?(?:(\^+)|\^(\d+)|(~+)|~(\d+))?$/;

const ROUND = 2 ** 32 - 1;

/** How a commit is found: from a name, so many steps back, or so many after the branch's first. */
type Spec =
  | { readonly kind: 'at'; readonly name: string }
  | { readonly kind: 'before'; readonly name: string; readonly steps: number }
  | { readonly kind: 'afterRoot'; readonly name: string; readonly steps: number };

function parseSpec(text: string): Spec {
  const at = text.search(/[~^.]/);
  if (at < 0) return { kind: 'at', name: text };
  const name = text.slice(0, at);
  const match = ANCESTRY.exec(text.slice(at));
  if (!match) throw refused('count offset and clean: invalid ancestry format');
  const [, root, carets, caretCount, tildes, tildeCount] = match;
  const back = carets?.length ?? tildes?.length ?? Number(caretCount ?? tildeCount ?? 0);
  if (root === undefined) return { kind: 'before', name, steps: back };
  // "master.1" is the branch's first commit; pachd counts without a sign, and comes round at 0.
  const after = Number(root) === 0 ? ROUND : Number(root) - 1;
  if (back > 0 && back >= after + 1) throw refused('there should be less ancestors than descendants');
  return { kind: 'afterRoot', name, steps: after - back };
}

/** What a picker was not able to find, told apart so that each call can say it its own way. */
type Missing = { readonly missing: 'repo' } | { readonly missing: 'branch' } | { readonly missing: 'commit' };
type Picked = { readonly commit: CommitRecord; readonly repo: RepoRecord };

function isPicked(result: Picked | Missing): result is Picked {
  return 'commit' in result;
}

function at(db: Db, repo: RepoRecord, name: string): Picked | Missing {
  if (isCommitId(name)) {
    const commit = db.commits.get([repo.id, name.toLowerCase()]);
    return commit ? { commit, repo } : { missing: 'commit' };
  }
  const branch = db.branches.get([repo.id, name]);
  const head = branch && db.commits.get([repo.id, branch.head]);
  return head ? { commit: head, repo } : { missing: 'branch' };
}

function resolve(db: Db, ref: RepoRef, text: string): Picked | Missing {
  const spec = within(`calculate offset ${repoText(ref)}@${text}`, () => parseSpec(text));
  within('picking commit: picking branch: picking repo: picking project', () => findProject(db, ref.project));
  const during = 'picking commit: picking branch: picking repo: get repo info with id';
  const repo = within(during, () => findRepo(db, { ...ref, type: ref.type || USER_TYPE }));
  if (!repo) return { missing: 'repo' };
  const start = at(db, repo, spec.name);
  if (spec.kind === 'at' || !isPicked(start)) return start;
  const key = `${repoKeyText(repo)}@${start.commit.id}`;
  if (spec.kind === 'before') {
    let commit = start.commit;
    for (let step = 0; step < spec.steps; step++) {
      const parent = parentOfCommit(db, commit);
      if (!parent) {
        throw refused(
          `picking commit: invalid offset for ancestor of commit: ${key}, offset requested: ${spec.steps}, offset traversable: ${step}`,
        );
      }
      commit = parent;
    }
    return { commit, repo };
  }
  const chain = [start.commit];
  for (let commit = parentOfCommit(db, start.commit); commit; commit = parentOfCommit(db, commit)) chain.push(commit);
  if (chain.length < spec.steps) {
    throw refused(
      `picking commit: invalid offset from branch root for head commit: ${key}, offset: ${spec.steps}, maximum depth: ${chain.length}`,
    );
  }
  return { commit: chain[Math.max(0, chain.length - 1 - spec.steps)] ?? start.commit, repo };
}

/** The commit that a request addresses. The id may be that of a set which uses, but has not made, a commit of the repo. Throws what pachd says, beginning with `pick commit tx: `. */
export function pickCommit(db: Db, ref: CommitRef): Picked {
  const branch = ref.branch?.name ?? '';
  if (ref.id === '' && branch === '') throw refused('pick commit tx: cannot pick commit with no ID or branch');
  const text = commitText(ref);
  const result = within('pick commit tx', () => resolve(db, ref.repo, text.slice(text.indexOf('@') + 1)));
  if (isPicked(result)) return result;
  const alias = ref.id !== '' && aliasesOfSet(db, ref.id).find((one) => isOfRepo(db, one, ref.repo));
  if (alias) return { commit: alias, repo: repoOf(db, alias) };
  const commit = `commit ${repoText(ref.repo)}@${ref.id} not found`;
  switch (result.missing) {
    case 'repo':
      throw notFound(`pick commit tx: ${commit}\nrepo ${repoText(ref.repo)} not found`);
    case 'branch': {
      const name = branch || ref.id;
      throw notFound(`pick commit tx: ${commit}\n${branchNotFound({ repo: ref.repo, name })}`);
    }
    case 'commit':
      throw notFound(`pick commit tx: ${commit}\ncommit ${text} not found`);
  }
}

function isOfRepo(db: Db, commit: CommitRecord, ref: RepoRef): boolean {
  const repo = repoOf(db, commit);
  return repo.project === ref.project && repo.name === ref.name && repo.type === ref.type;
}
