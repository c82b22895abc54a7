import type { BranchPicker, CommitPicker, ProjectPicker, RepoPicker } from '../../../../proto/gen/pfs/pfs.ts';
import { rawBranchNotFound } from '../store/branches.ts';
import { parentOfCommit } from '../store/commits.ts';
import type { Db } from '../store/db.ts';
import { notFound, refused, within } from '../store/errors.ts';
import { type BranchRef, type RepoRef, repoKeyText, USER_TYPE } from '../store/names.ts';
import { findProject } from '../store/projects.ts';
import type { BranchRecord, CommitRecord, ProjectRecord, RepoRecord } from '../store/records.ts';
import { findRepo, rawRepoNotFound, repoById, repoRef } from '../store/repos.ts';

/** Finds what the metadata service is to edit. Each throws with pachd's words for what is missing on the way. */
export interface Pickers {
  readonly project: (picker: ProjectPicker | undefined) => ProjectRecord;
  readonly repo: (picker: RepoPicker | undefined) => { readonly repo: RepoRecord; readonly ref: RepoRef };
  readonly branch: (picker: BranchPicker | undefined) => { readonly branch: BranchRecord; readonly ref: BranchRef };
  readonly commit: (picker: CommitPicker | undefined) => CommitRecord;
}

/** As pachd's database keys a commit. */
export function commitKey(db: Db, { repoId, id }: { readonly repoId: number; readonly id: string }): string {
  const repo = repoById(db, repoId);
  return `${repo ? repoKeyText(repoRef(repo)) : ''}@${id}`;
}

export function createPickers(db: Db): Pickers {
  const project: Pickers['project'] = (asked) => {
    const picker = asked?.picker;
    if (!picker) throw refused('project picker cannot be nil');
    return within('picking project', () => findProject(db, picker.value));
  };
  const repo: Pickers['repo'] = (asked) => {
    const picker = asked?.picker;
    if (!picker) throw refused('repo picker cannot be nil');
    return within('picking repo', () => {
      const { name, type } = picker.value;
      const ref = { project: project(picker.value.project).name, name, type: type || USER_TYPE };
      const found = within('get repo info with id', () => findRepo(db, ref));
      if (!found) throw notFound(`get repo info with id: ${rawRepoNotFound(ref)}`);
      return { repo: found, ref };
    });
  };
  const branch: Pickers['branch'] = (asked) => {
    const picker = asked?.picker;
    if (!picker) throw refused('branch picker cannot be nil');
    return within('picking branch', () => {
      const at = repo(picker.value.repo);
      const ref = { repo: at.ref, name: picker.value.name };
      const found = db.branches.get([at.repo.id, ref.name]);
      if (!found) throw notFound(rawBranchNotFound(ref));
      return { branch: found, ref };
    });
  };
  const byKey = (repoId: number, id: string): CommitRecord => {
    const commit = db.commits.get([repoId, id]);
    if (commit) return commit;
    const key = commitKey(db, { repoId, id });
    throw notFound(`get commit by commit key: commit (int_id=0, commit_id=${key}) not found`);
  };
  const headOf = (asked: BranchPicker | undefined): CommitRecord => {
    const { branch: found } = branch(asked);
    return byKey(found.repoId, found.head);
  };
  const ancestor = (start: CommitRecord, steps: number): CommitRecord => {
    let commit = start;
    for (let step = 0; step < steps; step++) {
      const parent = parentOfCommit(db, commit);
      if (!parent) {
        const at = `${commitKey(db, start)}, offset requested: ${steps}, offset traversable: ${step}`;
        throw refused(`invalid offset for ancestor of commit: ${at}`);
      }
      commit = parent;
    }
    return commit;
  };
  const afterRoot = (head: CommitRecord, steps: number): CommitRecord => {
    const chain = [head];
    for (let at = parentOfCommit(db, head); at; at = parentOfCommit(db, at)) chain.push(at);
    const commit = chain[chain.length - 1 - steps];
    if (commit) return commit;
    const at = `${commitKey(db, head)}, offset: ${steps}, maximum depth: ${chain.length}`;
    throw refused(`invalid offset from branch root for head commit: ${at}`);
  };
  const commit: Pickers['commit'] = (asked) => {
    const picker = asked?.picker;
    if (!picker) throw refused('commit picker cannot be nil');
    return within('picking commit', () => {
      switch (picker.$case) {
        case 'id':
          return byKey(repo(picker.value.repo).repo.id, picker.value.id);
        case 'branchHead':
          return headOf(picker.value);
        case 'ancestor':
          return ancestor(commit(picker.value.start), picker.value.offset);
        case 'branchRoot':
          return afterRoot(headOf(picker.value.branch), picker.value.offset);
      }
    });
  };
  return { project, repo, branch, commit };
}
