import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { APIServer } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { countRows } from '../files/layers.ts';
import { filesUnder } from '../files/tree.ts';
import { createFileWriter } from '../files/writer.ts';
import { branchText } from '../store/branches.ts';
import { addLayers, layersOf } from '../store/commit-files.ts';
import { alreadyFinished, finishCommit } from '../store/commits.ts';
import { PfsError, refused } from '../store/errors.ts';
import { type BranchRef, type CommitRef, checkName, isCommitId } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import { startCommit } from '../store/propagate.ts';
import type { CommitRecord } from '../store/records.ts';
import { findRepo, getRepo } from '../store/repos.ts';
import type { Calls, Context } from './call.ts';
import { applyChanges } from './changes.ts';
import type { Guard } from './guard.ts';
import type { Open } from './open.ts';
import { toCommitRef } from './wire.ts';

/** Where a stream's changes go: into a commit that is open, or into a new one on a branch. */
type Target =
  | { readonly kind: 'open'; readonly commit: CommitRecord }
  | { readonly kind: 'branch'; readonly branch: BranchRef; readonly head: CommitRecord | undefined };

/** Decided when the stream begins, and not again: as in pachd, which loses data by it. */
function chooseTarget(app: App, ref: CommitRef): Target {
  let { branch } = ref;
  let { id } = ref;
  if (branch && branch.name === '' && !isCommitId(id)) {
    branch = { ...branch, name: id };
    id = '';
  }
  try {
    const { commit } = pickCommit(app.db, ref);
    if (commit.finishing === null) return { kind: 'open', commit };
    if (id !== '' || !branch) throw alreadyFinished(app.db, commit);
    return { kind: 'branch', branch, head: commit };
  } catch (error) {
    const isMissing = error instanceof PfsError && error.kind === 'notFound';
    if (!isMissing || !branch || branch.name === '') throw error;
    return { kind: 'branch', branch, head: undefined };
  }
}

export function modifyMethods(app: App, calls: Calls, guard: Guard, open: Open): Pick<APIServer, 'modifyFile'> {
  const { db, packs, owner, counters } = app;

  const commitOnBranch = (context: Context, branch: BranchRef, layers: () => readonly number[]) => {
    guard.repo(context, branch.repo, Permission.REPO_WRITE);
    const repo = getRepo(db, branch.repo);
    checkName(branch.name);
    const head = db.branches.get([repo.id, branch.name])?.head;
    const parent = head === undefined ? undefined : db.commits.get([repo.id, head]);
    const createdBy = context.caller?.principal ?? '';
    const made = startCommit(db, { repo, branch: branch.name, parent, origin: 'user', description: '', createdBy });
    addLayers(db, made, layers());
    finishCommit(db, db.commits.get([made.repoId, made.id]) ?? made, '', '', made.started);
  };

  /** Of a branch that is there. A call may name it beside a commit that is not: then it is not known before. */
  const headOf = (branch: BranchRef): CommitRecord | undefined => {
    const repo = findRepo(db, branch.repo);
    const head = repo && db.branches.get([repo.id, branch.name])?.head;
    return repo && head !== undefined ? db.commits.get([repo.id, head]) : undefined;
  };

  const addToOpen = (commit: CommitRecord, layers: () => readonly number[]) => {
    const current = db.commits.get([commit.repoId, commit.id]);
    if (current && current.finishing !== null) {
      counters.count('lateModifyFile');
      const what = alreadyFinished(db, current).message;
      throw refused(`${what}: it was finished while this stream wrote into it, and nothing of the stream is kept`);
    }
    addLayers(db, commit, layers());
  };

  return {
    modifyFile: calls.upload(async (requests, context) => {
      const first = await requests.next();
      if (first.done) throw refused('EOF');
      if (first.value.body?.$case !== 'setCommit') throw refused('first message must be a commit');
      const target = chooseTarget(app, toCommitRef(first.value.body.value));
      const base = target.kind === 'open' ? target.commit : target.head;
      if (target.kind === 'branch') {
        context.meter.cost.branch = branchText(target.branch);
        const head = headOf(target.branch);
        context.meter.cost.files = head?.total ? countRows(db, head.total) : 0;
      }
      async function* below(prefix: string): AsyncGenerator<string> {
        if (!base) return;
        const layers = layersOf(db, db.commits.get([base.repoId, base.id]) ?? base);
        for await (const { path } of filesUnder(db, layers, prefix, '', context.signal)) yield path;
      }
      const writer = createFileWriter(db, packs, owner);
      try {
        await applyChanges(app, open, writer, requests, below, context);
        const files = await writer.finish();
        await db.write(() => {
          // A call that has ended for its client, by its deadline say, must not take effect.
          if (context.signal.aborted) throw new PfsError('cancelled', 'context canceled');
          if (target.kind === 'open') addToOpen(target.commit, files.commit);
          else commitOnBranch(context, target.branch, files.commit);
        });
      } finally {
        await writer.close();
      }
      if (target.kind === 'branch') counters.count('commitsCreated');
      app.finisher.nudge();
      return {};
    }),
  };
}
