import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { APIServer } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { branchNotFound, listAllBranches, listBranches, lookUpBranch, moveBranch } from '../store/branches.ts';
import { commitsOfSet, insertEmptyCommit, newId } from '../store/commits.ts';
import { notFound, PfsError, refused, within } from '../store/errors.ts';
import { type BranchRef, checkName, checkRepoType, commitText, quoted, repoKeyText, repoText } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import { planBranch } from '../store/propagate.ts';
import { deleteBranch } from '../store/provenance.ts';
import type { BranchRecord, RepoRecord } from '../store/records.ts';
import { findRepo, getRepo, rawRepoNotFound } from '../store/repos.ts';
import { checkTrigger, noteClock } from '../store/triggers.ts';
import type { Calls } from './call.ts';
import type { Guard } from './guard.ts';
import { fromBranch, toBranchRef, toCommitRef, toRepoRef } from './wire.ts';

type Methods = Pick<APIServer, 'createBranch' | 'inspectBranch' | 'listBranch' | 'deleteBranch'>;

export function branchMethods({ db, counters, authOn }: App, calls: Calls, guard: Guard): Methods {
  const repoOfBranch = (branch: BranchRef, setId: string): RepoRecord => {
    const repo = findRepo(db, branch.repo);
    if (repo) return repo;
    const missing = `commit (int_id=0, commit_id=${repoKeyText(branch.repo)}@${setId}) not found`;
    throw notFound(`get commit by commit key: ${rawRepoNotFound(branch.repo)}\n${missing}`);
  };
  /** What a branch is to be made from is made where it is missing. */
  const fillBranch = (branch: BranchRef, setId: string, createdBy: string): BranchRecord => {
    const repo = repoOfBranch(branch, setId);
    const old = db.branches.get([repo.id, branch.name]);
    if (old) return old;
    const empty = { repo, branch: branch.name, parent: undefined, provenance: [], setId, createdBy };
    // Two branches of one repo share their first commit.
    const head = db.commits.get([repo.id, setId]) ?? insertEmptyCommit(db, empty);
    return moveBranch(db, repo, branch.name, head.id, createdBy);
  };

  return {
    createBranch: calls.unary(async ({ head, branch: asked, provenance, trigger }, context) => {
      const from = head && toCommitRef(head);
      const branch = toBranchRef(asked);
      const above = provenance.map(toBranchRef);
      if (from && from.repo.name !== branch.repo.name) {
        throw refused('branch and head commit must belong to the same repo');
      }
      if (trigger) {
        checkTrigger(db, branch.repo, branch.name, trigger);
        if (above.length > 0) throw refused('a branch cannot have both provenance and a trigger');
      }
      guard.repo(context, branch.repo, Permission.REPO_CREATE_BRANCH);
      for (const { name } of [...above, branch]) checkName(name);
      const createdBy = context.caller?.principal ?? '';
      const setId = newId();
      const made = await db.write(() => {
        const filled = above.map((one) => within('create empty commit', () => fillBranch(one, setId, createdBy)));
        const picked = from && within(`unable to inspect ${commitText(from)}`, () => pickCommit(db, from));
        const repo = repoOfBranch(branch, setId);
        if (filled.some(({ repoId }) => repoId === repo.id)) {
          throw refused(`repo ${repoText(branch.repo)} cannot be in the provenance of its own branch`);
        }
        noteClock(db, trigger);
        planBranch(db, {
          repo,
          name: branch.name,
          head: picked?.commit,
          provenance: filled,
          trigger,
          setId,
          createdBy,
        });
        return commitsOfSet(db, setId).length;
      });
      for (let i = 0; i < made; i++) counters.count('commitsCreated');
      return {};
    }),

    inspectBranch: calls.unary(({ branch: asked }) => {
      const branch = toBranchRef(asked);
      const found = within('inspect branch in transaction', () => {
        checkRepoType(branch.repo.type, 'could not get branch');
        try {
          return lookUpBranch(db, branch);
        } catch (error) {
          if (!(error instanceof PfsError) || error.kind !== 'notFound') throw error;
          throw notFound(`${error.message}\n${branchNotFound(branch)}`);
        }
      });
      return fromBranch(db, found);
    }),

    listBranch: calls.stream(async ({ repo: asked, reverse }, context, send) => {
      // An empty name is taken for none.
      if (!asked?.name) {
        if (authOn) throw refused('Cannot list branches from all repos with auth activated');
        for (const branch of listAllBranches(db, reverse)) await send(fromBranch(db, branch));
        return;
      }
      const ref = toRepoRef(asked);
      guard.repo(context, ref, Permission.REPO_LIST_BRANCH);
      const repo = getRepo(db, ref);
      for (const branch of listBranches(db, repo.id, reverse)) await send(fromBranch(db, branch));
    }),

    deleteBranch: calls.unary(async ({ branch: asked, force }, context) => {
      if (!asked) {
        const text = 'validate request: invalid DeleteBranchRequest.Branch: value is required';
        throw new PfsError('invalidArgument', text);
      }
      const branch = toBranchRef(asked);
      guard.repo(context, branch.repo, Permission.REPO_DELETE_BRANCH);
      await db.write(() => {
        const key = `${repoKeyText(branch.repo)}@${branch.name}`;
        const found = within(`get branch ${quoted(key)}`, () => lookUpBranch(db, branch));
        deleteBranch(db, found, force);
      });
      return {};
    }),
  };
}
