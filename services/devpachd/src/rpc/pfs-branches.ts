import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { APIServer } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { branchNotFound, listAllBranches, listBranches, lookUpBranch, moveBranch } from '../store/branches.ts';
import { insertEmptyCommit, newId } from '../store/commits.ts';
import { notFound, PfsError, refused, within } from '../store/errors.ts';
import { checkName, checkRepoType, commitText, repoKeyText } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import { findRepo, getRepo, rawRepoNotFound } from '../store/repos.ts';
import type { Calls } from './call.ts';
import type { Guard } from './guard.ts';
import { fromBranch, toBranchRef, toCommitRef, toRepoRef } from './wire.ts';

type Methods = Pick<APIServer, 'createBranch' | 'inspectBranch' | 'listBranch' | 'deleteBranch'>;

export function branchMethods({ db, counters, authOn }: App, calls: Calls, guard: Guard): Methods {
  return {
    createBranch: calls.unary(async ({ head, branch: asked, provenance, trigger }, context) => {
      const from = head && toCommitRef(head);
      const branch = toBranchRef(asked);
      if (from && from.repo.name !== branch.repo.name) {
        throw refused('branch and head commit must belong to the same repo');
      }
      if (provenance.length > 0 || trigger) {
        throw new PfsError('unimplemented', 'devpachd has no provenance and no triggers');
      }
      guard.repo(context, branch.repo, Permission.REPO_CREATE_BRANCH);
      checkName(branch.name);
      const createdBy = context.caller?.principal ?? '';
      await db.write(() => {
        const picked = from && within(`unable to inspect ${commitText(from)}`, () => pickCommit(db, from));
        const repo = findRepo(db, branch.repo);
        if (!repo) {
          const missing = `commit (int_id=0, commit_id=${repoKeyText(branch.repo)}@${newId()}) not found`;
          throw notFound(`get commit by commit key: ${rawRepoNotFound(branch.repo)}\n${missing}`);
        }
        const old = db.branches.get([repo.id, branch.name]);
        const target = picked?.commit ?? (old && db.commits.get([repo.id, old.head]));
        const commit = target ?? insertEmptyCommit(db, repo, branch.name, createdBy);
        if (!target) counters.count('commitsCreated');
        within('create branch', () => moveBranch(db, repo, branch.name, commit.id, createdBy));
      });
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
      if (!asked) {
        if (authOn) throw refused('Cannot list branches from all repos with auth activated');
        for (const branch of listAllBranches(db, reverse)) await send(fromBranch(db, branch));
        return;
      }
      const ref = toRepoRef(asked);
      guard.repo(context, ref, Permission.REPO_LIST_BRANCH);
      const repo = getRepo(db, ref);
      for (const branch of listBranches(db, repo.id, reverse)) await send(fromBranch(db, branch));
    }),

    deleteBranch: calls.unary(async ({ branch: asked }, context) => {
      if (!asked) {
        const text = 'validate request: invalid DeleteBranchRequest.Branch: value is required';
        throw new PfsError('invalidArgument', text);
      }
      const branch = toBranchRef(asked);
      guard.repo(context, branch.repo, Permission.REPO_DELETE_BRANCH);
      await db.write(() => {
        const key = `${repoKeyText(branch.repo)}@${branch.name}`;
        const found = within(`get branch "${key}"`, () => lookUpBranch(db, branch));
        db.branches.remove([found.repoId, found.name]);
      });
      return {};
    }),
  };
}
