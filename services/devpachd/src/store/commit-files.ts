import { holdLayers, releaseLayers } from '../files/layers.ts';
import { alreadyFinished, parentOfCommit, putCommit, textOf } from './commits.ts';
import type { Db } from './db.ts';
import { refused } from './errors.ts';
import type { CommitRecord } from './records.ts';

/**
 * The layers that make up what is in a commit. Until it is FINISHED these are those of its base, the nearest ancestor without an error, and
 * its own above; the base must be FINISHED. A commit that failed goes on being read that way.
 */
export function layersOf(db: Db, commit: CommitRecord): readonly number[] {
  if (commit.finished !== null && commit.error === '') {
    if (!commit.total) throw refused('the commit is forgotten');
    return commit.total;
  }
  const base = baseOf(db, commit);
  if (base && base.finished === null) {
    throw refused(`base commit ${textOf(db, base)} for commit ${textOf(db, commit)} unfinished`);
  }
  return [...(base ? layersOf(db, base) : []), ...commit.diff];
}

/** The commit that this one goes on from: its nearest ancestor that did not fail. */
export function baseOf(db: Db, commit: CommitRecord): CommitRecord | undefined {
  let base = parentOfCommit(db, commit);
  while (base && base.error !== '') base = parentOfCommit(db, base);
  return base;
}

/** Adds layers to an open commit. Only inside a transaction; throws when the commit is not open any more. */
export function addLayers(db: Db, commit: CommitRecord, layers: readonly number[]): void {
  const current = db.commits.get([commit.repoId, commit.id]);
  if (!current) throw refused(`commit ${textOf(db, commit)} not found`);
  if (current.finishing !== null) throw alreadyFinished(db, current);
  holdLayers(db, layers);
  putCommit(db, { ...current, diff: [...current.diff, ...layers] });
}

/** Only inside a transaction. */
export function clearCommit(db: Db, commit: CommitRecord): void {
  if (commit.finishing !== null) throw refused('cannot clear finished commit');
  releaseLayers(db, commit.diff);
  putCommit(db, { ...commit, diff: [] });
}
