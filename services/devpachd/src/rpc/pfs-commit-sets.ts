import { Permission } from '../../../../proto/gen/auth/auth.ts';
import { type APIServer, CommitSetInfo, CommitState, FindCommitsResponse } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { entryOrder } from '../files/entry.ts';
import { rowsInSpan } from '../files/rows.ts';
import { allSubvenance, subvenantSets, wholeSet } from '../store/commit-sets.ts';
import {
  allCommits,
  childrenOf,
  commitsOfSet,
  deleteCommit,
  newId,
  parentOfCommit,
  repoOf,
  textOf,
} from '../store/commits.ts';
import { notFound, PfsError, refused } from '../store/errors.ts';
import type { CommitRef } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import type { CommitRecord } from '../store/records.ts';
import { repoRef } from '../store/repos.ts';
import type { Calls, Context } from './call.ts';
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

/** A squashed commit leaves its content to its children, a dropped one takes it away. */
type Removal = 'squash' | 'drop';

const END_OF_PATH = '\0\xff';

export function commitSetMethods({ db, waiting }: App, calls: Calls, guard: Guard): Methods {
  const check = (how: Removal, commit: CommitRecord) => {
    const hasChildren = childrenOf(db, commit).length > 0;
    if (how === 'drop') {
      if (!hasChildren) return;
      throw refused(`cannot drop a commit that has children: ${textOf(db, commit)}`);
    }
    if (commit.origin === 'user' && repoOf(db, commit).type === 'spec') {
      throw refused(`cannot squash commit ${textOf(db, commit)} because it updated a pipeline`);
    }
    if (hasChildren) return;
    const why = 'cannot squash a commit that has no children as that would cause data loss';
    throw refused(`${why}, use the drop operation instead: ${textOf(db, commit)}`);
  };
  const remove = (how: Removal, context: Context, find: () => readonly CommitRecord[]) => {
    guard.cluster(context, Permission.REPO_DELETE_COMMIT);
    const setId = newId();
    return db.write(() => {
      const commits = find();
      for (const commit of commits) check(how, commit);
      for (const { repoId, id } of commits) {
        const commit = db.commits.get([repoId, id]);
        if (commit) deleteCommit(db, commit, setId, context.caller?.principal ?? '');
      }
    });
  };
  /** A commit with all that is made from it, which has to be asked for. */
  const oneWithSubvenance = (how: Removal, ref: CommitRef, recursive: boolean) => () => {
    const { commit } = pickCommit(db, ref);
    const commits = [commit, ...allSubvenance(db, commit)];
    if (commits.length === 1 || recursive) return commits;
    throw refused(`cannot ${how} commit (${textOf(db, commit)}) with subvenance without recursive`);
  };
  const setWithoutSubvenance = (id: string) => () => {
    const below = subvenantSets(db, id);
    if (below.length === 0) return commitsOfSet(db, id);
    const others = below.map((one) => `id:"${one}"`).join(' ');
    throw refused(`commit set "id:\\"${id}\\"" cannot be dropped because it has subvenant commit sets: [${others}]`);
  };
  const setId = (set: { readonly id: string } | undefined): string => {
    if (!set) throw refused('commitset cannot be nil');
    return set.id;
  };
  /** Whether the commit itself adds or deletes a file of exactly this path. */
  const touches = (commit: CommitRecord, path: string): boolean =>
    commit.diff.some((layer) => {
      const order = entryOrder(path, '').slice(0, -1);
      const span = { lower: `${order}\0`, upper: order + END_OF_PATH };
      return !rowsInSpan(db, layer, span, false).next().done;
    });

  return {
    squashCommit: calls.unary(async ({ commit, recursive }, context) => {
      if (!commit) throw refused('pick commit tx: cannot pick nil commit');
      await remove('squash', context, oneWithSubvenance('squash', toCommitRef(commit), recursive));
      return {};
    }),
    dropCommit: calls.unary(async ({ commit, recursive }, context) => {
      if (!commit) throw refused('pick commit tx: cannot pick nil commit');
      await remove('drop', context, oneWithSubvenance('drop', toCommitRef(commit), recursive));
      return {};
    }),
    squashCommitSet: calls.unary(async ({ commitSet }, context) => {
      await remove('squash', context, setWithoutSubvenance(setId(commitSet)));
      return {};
    }),
    dropCommitSet: calls.unary(async ({ commitSet }, context) => {
      if (!commitSet) {
        const text = 'validate request: invalid DropCommitSetRequest.CommitSet: value is required';
        throw new PfsError('invalidArgument', text);
      }
      await remove('drop', context, setWithoutSubvenance(commitSet.id));
      return {};
    }),

    inspectCommitSet: calls.stream(async ({ commitSet, wait }, context, send) => {
      const id = setId(commitSet);
      const commits = wholeSet(db, id);
      if (commits.length === 0) throw notFound(`no commits found for commitset ${id}`);
      const state = wait ? CommitState.FINISHED : CommitState.STARTED;
      for (const commit of commits) {
        const reached = await waiting.until(commit, (current) => hasReached(db, current, state), context.signal);
        await send(fromCommitRecord(db, reached));
      }
    }),
    listCommitSet: calls.stream(async ({ project }, _, send) => {
      const seen = new Set<string>();
      for (const commit of allCommits(db, true)) {
        if (project && repoOf(db, commit).project !== project.name) continue;
        if (seen.has(commit.id)) continue;
        seen.add(commit.id);
        const commits = wholeSet(db, commit.id).map((one) => fromCommitRecord(db, one));
        await send(CommitSetInfo.fromPartial({ commitSet: { id: commit.id }, commits }));
      }
    }),

    findCommits: calls.stream(async ({ start, filePath, limit }, context, send) => {
      if (!start) {
        throw new PfsError('invalidArgument', 'validate recv: invalid FindCommitsRequest.Start: value is required');
      }
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
