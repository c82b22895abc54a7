import { Permission } from '../../../../proto/gen/auth/auth.ts';
import { type APIServer, DeleteRepoResponse, type RepoInfo } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import {
  authorize,
  createBinding,
  permissionsOf,
  projectResource,
  removeBinding,
  repoResource,
} from '../auth/bindings.ts';
import { branchText, refOfBranch } from '../store/branches.ts';
import { removeRepo } from '../store/commits.ts';
import { notFound, PfsError, prefixed, refused, within } from '../store/errors.ts';
import { checkName, checkRepoType, FILE_SETS_REPO, quoted, type RepoRef, repoText, USER_TYPE } from '../store/names.ts';
import { getProject } from '../store/projects.ts';
import { deleteBranch, provenanceOf } from '../store/provenance.ts';
import type { RepoRecord } from '../store/records.ts';
import {
  branchesOf,
  createRepo,
  findRepo,
  getRepo,
  listRepos,
  putRepo,
  rawRepoNotFound,
  relatedRepos,
  repoExists,
  repoRef,
} from '../store/repos.ts';
import type { Calls, Context } from './call.ts';
import type { Guard } from './guard.ts';
import { fromRepo, toRepoRef } from './wire.ts';

type Methods = Pick<APIServer, 'createRepo' | 'inspectRepo' | 'listRepo' | 'deleteRepo'>;

export function repoMethods({ db, authOn }: App, calls: Calls, guard: Guard): Methods {
  /** That of the head of master, and of nothing else. */
  const sizeOf = (repo: RepoRecord): number => {
    const master = db.branches.get([repo.id, 'master']);
    return (master && db.commits.get([repo.id, master.head])?.sizeBytes) ?? 0;
  };
  const withAuth = (info: RepoInfo, repo: RepoRecord, { caller }: Context): RepoInfo =>
    caller ? { ...info, authInfo: permissionsOf(db, caller.principal, repoResource(repo)) } : info;
  const allowed = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof PfsError && error.kind === 'permissionDenied') return false;
      throw error;
    }
  };
  /** Those that are made from others first, so that what stays is what others outside are made from. */
  const deleteBranches = (repos: readonly RepoRecord[], force: boolean) => {
    const branches = repos.flatMap(({ id }) => branchesOf(db, id));
    const depth = new Map(branches.map((branch) => [branch.seq, provenanceOf(db, branch).length]));
    for (const { repoId, name, seq } of branches.toSorted(
      (a, b) => (depth.get(b.seq) ?? 0) - (depth.get(a.seq) ?? 0) || a.seq - b.seq,
    )) {
      const branch = db.branches.get([repoId, name]);
      if (branch?.seq !== seq) continue;
      within(`delete branch ${branchText(refOfBranch(db, branch))}`, () => deleteBranch(db, branch, force));
    }
  };
  const quote = (repo: RepoRef) => quoted(repoText(repo));

  return {
    createRepo: calls.unary(async ({ repo: asked, description, update }, context) => {
      if (asked?.name === FILE_SETS_REPO) throw refused(`${FILE_SETS_REPO} is a reserved name`);
      if (!asked) throw refused('repo cannot be nil');
      const sent = toRepoRef(asked);
      const repo = { ...sent, type: sent.type || USER_TYPE };
      checkName(repo.name);
      await db.write(() => {
        within(`cannot find project "${repo.project}"`, () => getProject(db, repo.project));
        try {
          guard.project(context, repo.project, Permission.PROJECT_CREATE_REPO);
        } catch (error) {
          throw prefixed('failed to create repo', error);
        }
        const old = within(`error checking whether repo ${quote(repo)} exists`, () => findRepo(db, repo));
        if (!old) {
          const user = { ...repo, type: USER_TYPE };
          if (repo.type !== USER_TYPE && !findRepo(db, user)) {
            const missing = rawRepoNotFound(user);
            throw notFound(`cannot create a system repo without a corresponding 'user' repo: ${missing}`);
          }
          createRepo(db, repo, description);
          if (!context.caller || repo.type !== USER_TYPE) return;
          createBinding(db, repoResource(repo), { principal: context.caller.principal, role: 'repoOwner' });
          return;
        }
        if (!update) throw repoExists(repo);
        if (old.description === description) return;
        within(`could not update description of ${quote(repo)}`, () =>
          guard.repo(context, repo, Permission.REPO_WRITE),
        );
        putRepo(db, { ...old, description });
      });
      return {};
    }),

    inspectRepo: calls.unary(({ repo: asked }, context) => {
      if (!asked) throw refused('repo cannot be nil');
      const repo = getRepo(db, toRepoRef(asked));
      context.meter.cost.files = db.repoCommits.getKeysCount({ start: [repo.id, 0], end: [repo.id + 1, 0] });
      return { ...withAuth(fromRepo(db, repo), repo, context), details: { sizeBytes: sizeOf(repo) } };
    }),

    listRepo: calls.stream(async ({ type, projects, page }, context, send) => {
      const during = 'WithReadContext: listRepoInTransaction: for each repo: for each repo: getting page';
      if (page && (page.pageIndex < 0 || page.pageSize < 0)) {
        throw refused(`${during}: ERROR: bigint out of range (SQLSTATE 22003)`);
      }
      if (type !== '') checkRepoType(type, during);
      const names = projects.map(({ name }) => name);
      const visible = listRepos(db, names, type).filter((repo) => {
        const { caller } = context;
        if (!caller) return true;
        const may = (work: () => void) => allowed(work);
        return (
          may(() => authorize(db, caller.principal, projectResource(repo.project), [Permission.PROJECT_LIST_REPO])) ||
          may(() => authorize(db, caller.principal, repoResource(repo), [Permission.REPO_READ]))
        );
      });
      const size = page?.pageSize || visible.length;
      const first = (page?.pageIndex ?? 0) * size;
      for (const repo of visible.slice(first, first + size)) {
        await send({ ...withAuth(fromRepo(db, repo), repo, context), sizeBytesUpperBound: sizeOf(repo) });
      }
    }),

    deleteRepo: calls.unary(async ({ repo: asked, force }, context) => {
      if (!asked) throw new PfsError('invalidArgument', 'no repo specified');
      const ref = toRepoRef(asked);
      within('delete repo', () => within(`error checking whether ${quote(ref)} exists`, () => findRepo(db, ref)));
      const deleted = await db.write(() => {
        const repo = findRepo(db, ref);
        if (!repo) return false;
        const user = { ...ref, type: USER_TYPE };
        if (!allowed(() => guard.repo(context, user, Permission.REPO_DELETE))) return false;
        const related = relatedRepos(db, repo);
        within('delete repo', () => deleteBranches(related, force));
        for (const one of related) {
          removeRepo(db, one);
          if (authOn && one.type === USER_TYPE) removeBinding(db, repoResource(repoRef(one)));
        }
        return true;
      });
      return DeleteRepoResponse.fromPartial({ deleted });
    }),
  };
}
