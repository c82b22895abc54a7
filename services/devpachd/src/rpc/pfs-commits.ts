import { Permission } from '../../../../proto/gen/auth/auth.ts';
import { type APIServer, CommitInfo, CommitState, OriginKind } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { layersSizeBytes } from '../files/layers.ts';
import { clearCommit, layersOf } from '../store/commit-files.ts';
import { commitProvenance } from '../store/commit-sets.ts';
import { commitsOf, finishCommit, parentOfCommit } from '../store/commits.ts';
import type { Db } from '../store/db.ts';
import { notFound, PfsError, refused, within } from '../store/errors.ts';
import { checkName, FILE_SETS_REPO, repoText } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import { startCommit } from '../store/propagate.ts';
import type { CommitRecord } from '../store/records.ts';
import { findRepo, getRepo, rawRepoNotFound, repoRef } from '../store/repos.ts';
import type { Calls } from './call.ts';
import type { Guard } from './guard.ts';
import { fromCommit, fromCommitRecord, toBranchRef, toCommitRef, toRepoRef, toTimestamp } from './wire.ts';

type Methods = Pick<
  APIServer,
  'startCommit' | 'finishCommit' | 'clearCommit' | 'inspectCommit' | 'listCommit' | 'subscribeCommit'
>;

/** Whether a commit is as far as a caller waits for. */
export function hasReached(db: Db, commit: CommitRecord, state: CommitState): boolean {
  if (state === CommitState.READY) return commitProvenance(db, commit).every(({ finished }) => finished !== null);
  if (state === CommitState.FINISHED) return commit.finished !== null;
  if (state === CommitState.FINISHING) return commit.finishing !== null;
  return true;
}

function isOfOrigin(commit: CommitRecord, all: boolean, kind: OriginKind): boolean {
  if (all || kind === OriginKind.ORIGIN_KIND_UNKNOWN) return true;
  return kind === (commit.origin === 'user' ? OriginKind.USER : OriginKind.AUTO);
}

export function commitMethods(app: App, calls: Calls, guard: Guard): Methods {
  const { db, waiting, finisher, counters } = app;

  /** What ListCommit adds; a commit on an unfinished base has none. */
  const sizeUpperBound = (commit: CommitRecord): number => {
    if (commit.finished !== null && commit.error === '') return commit.sizeBytes;
    try {
      return layersSizeBytes(db, layersOf(db, commit));
    } catch (error) {
      if (error instanceof PfsError) return 0;
      throw error;
    }
  };

  return {
    startCommit: calls.unary(async ({ parent: asked, branch, description }, context) => {
      const parent = asked && toCommitRef(asked);
      counters.count('commitsStartedOnBranch');
      const { commit, ref } = await db.write(() =>
        within('start commit in transaction', () => {
          if (!branch?.name || !branch.repo) throw refused('branch must be specified');
          const at = toBranchRef(branch);
          guard.repo(context, at.repo, Permission.REPO_WRITE);
          const repo = getRepo(db, at.repo);
          checkName(at.name);
          const head = db.branches.get([repo.id, at.name])?.head;
          const from = parent
            ? within('create commit: parent commit not found', () => pickCommit(db, parent)).commit
            : head === undefined
              ? undefined
              : db.commits.get([repo.id, head]);
          if (from?.finished === null) context.meter.cost.variant = 'finishing';
          const createdBy = context.caller?.principal ?? '';
          const made = startCommit(db, { repo, branch: at.name, parent: from, origin: 'user', description, createdBy });
          return { commit: made, ref: repoRef(repo) };
        }),
      );
      counters.count('commitsCreated');
      return fromCommit(ref, commit.id);
    }),

    finishCommit: calls.unary(async ({ commit: asked, description, error }, context) => {
      const ref = within('check new file commit', () => toCommitRef(asked));
      guard.repo(context, ref.repo, Permission.REPO_WRITE);
      await db.write(() => {
        const { commit } = within('finish commit in transaction', () => pickCommit(db, ref));
        finishCommit(db, commit, description, error);
      });
      finisher.nudge();
      waiting.nudge();
      return {};
    }),

    clearCommit: calls.unary(async ({ commit: asked }, context) => {
      const ref = toCommitRef(asked);
      guard.repo(context, ref.repo, Permission.REPO_WRITE);
      await db.write(() => clearCommit(db, pickCommit(db, ref).commit));
      return {};
    }),

    inspectCommit: calls.unary(async ({ commit: asked, wait }, context) => {
      const ref = toCommitRef(asked);
      guard.repo(context, ref.repo, Permission.REPO_INSPECT_COMMIT);
      if (ref.repo.name === FILE_SETS_REPO && ref.id !== '') {
        const commit = { ...fromCommit(ref.repo, ref.id), repo: asked?.repo ?? asked?.branch?.repo };
        const description = 'FileSet - Virtual Commit';
        // Commits of this repo have always been finished, at no time.
        return CommitInfo.fromPartial({ commit, description, finished: toTimestamp(0) });
      }
      const { commit } = pickCommit(db, ref);
      const { cost } = context.meter;
      if (ref.id === '') cost.variant = 'branch';
      for (const value of Object.values(commit.metadata)) cost.readBytes += value.length;
      const reached = await waiting.until(commit, (current) => hasReached(db, current, wait), context.signal);
      return fromCommitRecord(db, reached);
    }),

    listCommit: calls.stream(async (request, context, send) => {
      const to = request.to && toCommitRef(request.to);
      const from = request.from && toCommitRef(request.from);
      if (!request.repo) throw refused('repo cannot be nil');
      const ref = toRepoRef(request.repo);
      guard.repo(context, ref, Permission.REPO_LIST_COMMIT);
      for (const end of [from, to]) {
        if (end && repoText(end.repo) !== repoText(ref)) {
          throw refused(`\`from\` and \`to\` commits need to be from repo ${repoText(ref)}`);
        }
      }
      const repo = within('ensure repo exists', () => getRepo(db, ref));
      const fromCommit = from && pickCommit(db, from).commit;
      const toCommit = to && pickCommit(db, to).commit;
      if (fromCommit && !toCommit) throw refused('cannot use `from` commit without `to` commit');
      if (toCommit && request.reverse) throw refused("cannot use 'Reverse' while also using 'From' or 'To'");

      const { startedTime, reverse, number } = request;
      const limitMs = startedTime && startedTime.seconds * 1000 + startedTime.nanos / 1_000_000;
      const isInTime = (commit: CommitRecord) =>
        limitMs === undefined || toCommit || (reverse ? commit.started > limitMs : commit.started < limitMs);
      function* chosen(): Generator<CommitRecord> {
        if (!toCommit) return yield* commitsOf(db, repo.id, !reverse);
        for (let at: CommitRecord | undefined = toCommit; at && at.id !== fromCommit?.id; at = parentOfCommit(db, at)) {
          yield at;
        }
      }
      context.meter.cost.files = db.repoCommits.getKeysCount({ start: [repo.id, 0], end: [repo.id + 1, 0] });
      let left = number === 0 ? Number.POSITIVE_INFINITY : number;
      for (const commit of chosen()) {
        if (left === 0) break;
        if (!isOfOrigin(commit, request.all, request.originKind) || !isInTime(commit)) continue;
        left--;
        await send({ ...fromCommitRecord(db, commit), sizeBytesUpperBound: sizeUpperBound(commit) });
      }
    }),

    subscribeCommit: calls.stream(async ({ repo: asked, branch, from, state, all, originKind }, context, send) => {
      const after = from && toCommitRef(from);
      if (!asked) throw refused('repo cannot be nil');
      const ref = toRepoRef(asked);
      if (after && repoText(after.repo) !== repoText(ref)) {
        throw refused(`the \`from\` commit needs to be from repo ${repoText(ref)}`);
      }
      const repo = findRepo(db, ref);
      if (!repo) throw notFound(`get repo ID: ${rawRepoNotFound(ref)}`);
      let seen = 0;
      for (;;) {
        const fresh = [...commitsOf(db, repo.id, false)].filter((commit) => commit.seq > seen);
        for (const commit of fresh) {
          seen = commit.seq;
          if (branch !== '' && commit.branch !== branch) continue;
          if (!isOfOrigin(commit, all, originKind) || commit.id === after?.id) continue;
          guard.repo(context, ref, Permission.REPO_INSPECT_COMMIT);
          const reached = await waiting.until(commit, (current) => hasReached(db, current, state), context.signal);
          await send(fromCommitRecord(db, reached));
        }
        await waiting.tick(context.signal);
      }
    }),
  };
}
