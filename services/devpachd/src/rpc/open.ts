import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { Commit } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import type { Entry } from '../files/entry.ts';
import { countRows } from '../files/layers.ts';
import { filesUnder, openTree, type Tree } from '../files/tree.ts';
import { layersOf } from '../store/commit-files.ts';
import { notFound, type PfsError } from '../store/errors.ts';
import { openFileSet, parseFileSetId } from '../store/file-sets.ts';
import { type CommitRef, FILE_SETS_REPO, repoText } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import { repoRef } from '../store/repos.ts';
import type { Context } from './call.ts';
import type { Guard } from './guard.ts';
import { fromCommit } from './wire.ts';

/** A commit, or a file set, opened for reading. */
export interface Opened {
  /** As FileInfo names it. */
  readonly commit: Commit;
  readonly committedAt: number | null;
  readonly layers: readonly number[];
  readonly tree: (datum: string) => Tree;
  /** The files whose path begins so, unchecked; of every datum, or of one. */
  readonly entries: (prefix: string, datum: string) => AsyncGenerator<Entry>;
  /** What is said of a path that is not there. */
  readonly fileNotFound: (path: string) => PfsError;
}

export type Open = (context: Context, ref: CommitRef) => Promise<Opened>;

/** Opening waits while the commit is finishing. A file set asks for no permission: knowing its id is one. */
export function createOpen(app: App, guard: Guard): Open {
  const { db, packs, waiting } = app;
  return async (context, ref) => {
    const opened = (
      commit: Commit,
      committedAt: number | null,
      layers: readonly number[],
      missing: Opened['fileNotFound'],
    ) => ({
      commit,
      committedAt,
      layers,
      tree: (datum: string) => openTree(db, packs, layers, datum, context.signal, context.meter.cost),
      entries: (prefix: string, datum: string) => filesUnder(db, layers, prefix, datum, context.signal),
      fileNotFound: missing,
    });
    const { cost } = context.meter;
    if (ref.repo.name === FILE_SETS_REPO) {
      const layers = openFileSet(db, parseFileSetId(ref.id));
      cost.source = 'set';
      cost.files = countRows(db, layers);
      const where = `not found in repo ${repoText(ref.repo)} at commit ${ref.id}`;
      const missing = (path: string) => notFound(`file ${path} ${where}`);
      return opened(fromCommit(ref.repo, ref.id), null, layers, missing);
    }
    guard.repo(context, ref.repo, Permission.REPO_READ);
    const picked = pickCommit(db, ref);
    const isSettled = (commit: typeof picked.commit) => commit.finishing === null || commit.finished !== null;
    const commit = await waiting.until(picked.commit, isSettled, context.signal);
    const committedAt = commit.finished === null ? null : commit.finishing;
    const layers = layersOf(db, commit);
    cost.source = commit.finishing === null ? 'open' : 'commit';
    cost.files = countRows(db, layers);
    cost.sets = commit.diff.length;
    // By a branch pachd tells nothing of a missing file but the code; by an id it repeats what it was asked for.
    const where = `not found in repo ${repoText(ref.repo)} at commit ${ref.id}`;
    const missing = (path: string) => notFound(ref.id === '' ? '' : `file ${path} ${where}`);
    return opened(fromCommit(repoRef(picked.repo), commit.id), committedAt, layers, missing);
  };
}
