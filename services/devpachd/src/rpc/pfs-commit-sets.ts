import { Permission } from '../../../../proto/gen/auth/auth.ts';
import { type APIServer, CommitSetInfo, CommitState, FindCommitsResponse } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { entryOrder } from '../files/entry.ts';
import { layerKey } from '../files/layers.ts';
import {
  allCommits,
  childrenOf,
  commitsOfSet,
  deleteCommit,
  parentOfCommit,
  repoOf,
  textOf,
} from '../store/commits.ts';
import { notFound, PfsError, refused } from '../store/errors.ts';
import { pickCommit } from '../store/pick.ts';
import type { CommitRecord } from '../store/records.ts';
import { repoRef } from '../store/repos.ts';
import type { Calls } from './call.ts';
import type { Guard } from './guard.ts';
import { hasReached } from './pfs-commits.ts';
import { fromCommit, fromCommitRecord, toCommitRef } from './wire.ts';

type Methods = Pick<
  APIServer,
  | 'squashCommit'
  | 'dropCommit'
  | 'findCommits'
  | 'inspectCommitSet'
  | 'listCommitSet'
  | 'squashCommitSet'
  | 'dropCommitSet'
>;

const END_OF_PATH = '\0\xff';

export function commitSetMethods({ db, waiting }: App, calls: Calls, guard: Guard): Methods {
  const checkSquash = (commit: CommitRecord) => {
    if (childrenOf(db, commit).length > 0) return;
    const why = 'cannot squash a commit that has no children as that would cause data loss';
    throw refused(`${why}, use the drop operation instead: ${textOf(db, commit)}`);
  };
  const checkDrop = (commit: CommitRecord) => {
    if (childrenOf(db, commit).length === 0) return;
    throw refused(`cannot drop a commit that has children: ${textOf(db, commit)}`);
  };
  const remove = (
    find: () => readonly CommitRecord[],
    check: (commit: CommitRecord) => void,
    principal: string | undefined,
  ) =>
    db.write(() => {
      const commits = find();
      for (const commit of commits) check(commit);
      for (const commit of commits) deleteCommit(db, commit, principal ?? '');
    });
  const setId = (set: { readonly id: string } | undefined): string => {
    if (!set) throw refused('commitset cannot be nil');
    return set.id;
  };
  /** Whether the commit itself adds or deletes a file of exactly this path. */
  const touches = (commit: CommitRecord, path: string): boolean =>
    commit.diff.some((layer) => {
      const order = entryOrder(path, '').slice(0, -1);
      const range = { start: layerKey(layer, `${order}\0`), end: layerKey(layer, order + END_OF_PATH), limit: 1 };
      return [...db.files.getKeys(range)].length > 0;
    });

  return {
    squashCommit: calls.unary(async ({ commit }, context) => {
      guard.cluster(context, Permission.REPO_DELETE_COMMIT);
      const ref = toCommitRef(commit);
      await remove(() => [pickCommit(db, ref).commit], checkSquash, context.caller?.principal);
      return {};
    }),
    dropCommit: calls.unary(async ({ commit }, context) => {
      guard.cluster(context, Permission.REPO_DELETE_COMMIT);
      const ref = toCommitRef(commit);
      await remove(() => [pickCommit(db, ref).commit], checkDrop, context.caller?.principal);
      return {};
    }),
    squashCommitSet: calls.unary(async ({ commitSet }, context) => {
      guard.cluster(context, Permission.REPO_DELETE_COMMIT);
      const id = setId(commitSet);
      await remove(() => commitsOfSet(db, id), checkSquash, context.caller?.principal);
      return {};
    }),
    dropCommitSet: calls.unary(async ({ commitSet }, context) => {
      guard.cluster(context, Permission.REPO_DELETE_COMMIT);
      const id = setId(commitSet);
      await remove(() => commitsOfSet(db, id), checkDrop, context.caller?.principal);
      return {};
    }),

    inspectCommitSet: calls.stream(async ({ commitSet, wait }, context, send) => {
      const id = setId(commitSet);
      const commits = commitsOfSet(db, id);
      if (commits.length === 0) throw notFound(`no commits found for commitset ${id}`);
      const state = wait ? CommitState.FINISHED : CommitState.STARTED;
      for (const commit of commits) {
        const reached = await waiting.until(commit, (current) => hasReached(current, state), context.signal);
        await send(fromCommitRecord(db, reached));
      }
    }),
    listCommitSet: calls.stream(async ({ project }, _, send) => {
      const seen = new Set<string>();
      for (const commit of allCommits(db, true)) {
        if (project && repoOf(db, commit).project !== project.name) continue;
        if (seen.has(commit.id)) continue;
        seen.add(commit.id);
        const commits = commitsOfSet(db, commit.id).map((one) => fromCommitRecord(db, one));
        await send(CommitSetInfo.fromPartial({ commitSet: { id: commit.id }, commits }));
      }
    }),

    findCommits: calls.stream(async ({ start, filePath, limit }, context, send) => {
      const ref = toCommitRef(start);
      let searched = 0;
      let found = 0;
      guard.repo(context, ref.repo, Permission.REPO_INSPECT_COMMIT);
      const { commit: first, repo } = pickCommit(db, ref);
      for (let commit: CommitRecord | undefined = first; commit; commit = parentOfCommit(db, commit)) {
        if (commit.finished === null) throw new PfsError('unavailable', `commit ${textOf(db, commit)} not finished`);
        const at = fromCommit(repoRef(repo), commit.id);
        if (touches(commit, filePath)) {
          found++;
          const result = { $case: 'foundCommit' as const, value: at };
          await send(FindCommitsResponse.fromPartial({ result, commitsSearched: searched }));
        }
        searched++;
        if ((limit !== 0 && found === limit) || commit.parent === null) {
          const result = { $case: 'lastSearchedCommit' as const, value: at };
          await send(FindCommitsResponse.fromPartial({ result, commitsSearched: searched }));
          return;
        }
      }
    }),
  };
}
