import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { APIServer, Edit } from '../../../../proto/gen/metadata/metadata.ts';
import type { BranchPicker, CommitPicker, ProjectPicker, RepoPicker } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { lookUpBranch } from '../store/branches.ts';
import { putCommit } from '../store/commits.ts';
import { notFound, PfsError, prefixed, refused, within } from '../store/errors.ts';
import { applyOp, type MetadataOp, readClusterMetadata, writeClusterMetadata } from '../store/metadata.ts';
import { type BranchRef, type RepoRef, USER_TYPE } from '../store/names.ts';
import { pickByName } from '../store/pick.ts';
import { findProject } from '../store/projects.ts';
import type { CommitRecord } from '../store/records.ts';
import { findRepo, putRepo, rawRepoNotFound } from '../store/repos.ts';
import type { Calls, Context } from './call.ts';
import type { Guard } from './guard.ts';

export function metadataService({ db }: App, calls: Calls, guard: Guard): APIServer {
  const edit = (context: Context, { target, op: asked }: Edit) => {
    const op = toOp(asked);
    const { cost } = context.meter;
    cost.writtenBytes += sizeOfOp(op);
    if (target?.$case === 'repo') cost.variant = 'repo';
    switch (target?.$case) {
      case 'project': {
        const project = within('pick project', () => findProject(db, projectName(target.value)));
        db.projects.put(project.name, { ...project, metadata: applyOp(project.metadata, op) });
        return;
      }
      case 'commit': {
        const commit = within('pick commit', () => pick(target.value));
        putCommit(db, { ...commit, metadata: applyOp(commit.metadata, op) });
        return;
      }
      case 'branch': {
        const ref = branchRef(target.value);
        const branch = within('pick branch', () => lookUpBranch(db, ref));
        within('check permissions on branch', () => guard.repo(context, ref.repo, Permission.REPO_CREATE_BRANCH));
        const metadata = applyOp(branch.metadata, op);
        db.branches.put([branch.repoId, branch.name], { ...branch, metadata, updatedAt: Date.now() });
        return;
      }
      case 'repo': {
        const ref = repoRefOf(target.value);
        const repo = findRepo(db, ref);
        if (!repo) throw notFound(`pick repo: picking repo: ${rawRepoNotFound(ref)}`);
        within('check permissions on repo', () => guard.repo(context, ref, Permission.REPO_WRITE));
        putRepo(db, { ...repo, metadata: applyOp(repo.metadata, op) });
        return;
      }
      case 'cluster':
        within('check cluster permissions', () => guard.cluster(context, Permission.CLUSTER_EDIT_CLUSTER_METADATA));
        writeClusterMetadata(db, applyOp(readClusterMetadata(db), op));
        return;
      case undefined:
        throw refused('unknown target <nil>');
    }
  };

  const pick = ({ picker }: CommitPicker): CommitRecord => {
    switch (picker?.$case) {
      case 'id':
        return pickByName(db, repoRefOf(picker.value.repo), picker.value.id).commit;
      case 'branchHead': {
        const { repo, name } = branchRef(picker.value);
        return pickByName(db, repo, name).commit;
      }
      case 'ancestor': {
        const start = pick(picker.value.start ?? { picker: undefined });
        return stepsBack(start, picker.value.offset);
      }
      case 'branchRoot': {
        const { repo, name } = branchRef(picker.value.branch);
        return pickByName(db, repo, `${name}.${picker.value.offset + 1}`).commit;
      }
      case undefined:
        throw refused('commit picker cannot be nil');
    }
  };

  const stepsBack = (start: CommitRecord, steps: number): CommitRecord => {
    let commit = start;
    for (let step = 0; step < steps; step++) {
      const parent = commit.parent === null ? undefined : db.commits.get([commit.repoId, commit.parent]);
      if (!parent) throw refused(`picking commit: invalid offset for ancestor of commit, offset requested: ${steps}`);
      commit = parent;
    }
    return commit;
  };

  return {
    editMetadata: calls.unary(async ({ edits }, context) => {
      await db.write(() => {
        const errors: PfsError[] = [];
        for (const [index, one] of edits.entries()) {
          try {
            edit(context, one);
          } catch (error) {
            const told = prefixed(`edit #${index}`, error);
            if (!(told instanceof PfsError)) throw told;
            errors.push(told);
          }
        }
        const [first] = errors;
        if (first) throw new PfsError(first.kind, errors.map(({ message }) => message).join('\n'));
      });
      return {};
    }),
  };
}

function toOp(op: Edit['op']): MetadataOp {
  switch (op?.$case) {
    case 'replace':
      return { kind: 'replace', map: op.value.replacement };
    case 'addKey':
      return { kind: 'add', ...op.value };
    case 'editKey':
      return { kind: 'edit', ...op.value };
    case 'deleteKey':
      return { kind: 'delete', key: op.value.key };
    case undefined:
      throw new PfsError('invalidArgument', 'validate request: invalid Edit.Op: value is required');
  }
}

function sizeOfOp(op: MetadataOp): number {
  if ('value' in op) return op.value.length;
  return op.kind === 'replace' ? Object.values(op.map).reduce((sum, value) => sum + value.length, 0) : 0;
}

function projectName(picker: ProjectPicker | undefined): string {
  if (!picker?.picker) throw refused('project picker cannot be nil');
  return picker.picker.value;
}

function repoRefOf(picker: RepoPicker | undefined): RepoRef {
  if (!picker?.picker) throw refused('repo picker cannot be nil');
  const { project, name, type } = picker.picker.value;
  return { project: projectName(project), name, type: type || USER_TYPE };
}

function branchRef(picker: BranchPicker | undefined): BranchRef {
  if (!picker?.picker) throw refused('branch picker cannot be nil');
  return { repo: repoRefOf(picker.picker.value.repo), name: picker.picker.value.name };
}
