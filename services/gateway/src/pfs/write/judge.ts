import type { Pachd } from '../../pachd/client.ts';
import type { Caller, CommitRef, FileSummary } from '../../pachd/model.ts';
import { objectEtag } from '../etag.ts';
import { Failure } from '../failure.ts';
import { foldersAbove } from '../key.ts';
import type { Lists } from '../list.ts';
import type { BranchState } from '../state.ts';
import type { Change, Precondition, Submission } from './change.ts';

/** What of a submission is to be committed: nothing is left of one that only deletes what is not there. */
export type Verdict =
  | { readonly kind: 'go'; readonly changes: readonly Change[] }
  | { readonly kind: 'refused'; readonly why: Failure };

/** A delete of at most so many keys finds out first whether there is anything to commit. */
const ASKED_MAX = 16;

export type Judge = ReturnType<typeof createJudge>;

/** Says what may be written at a state. pachd would find a collision only at the finish, and drop the whole commit with it. */
export function createJudge(pachd: Pachd, lists: Lists) {
  return {
    /**
     * Judges a submission at the state of its branch.
     * @throws PachdError when pachd cannot be asked; what is wrong with the submission itself comes as a verdict
     */
    async judge({ caller, changes, precondition }: Submission, state: BranchState): Promise<Verdict> {
      if (precondition !== undefined && state.open) {
        return {
          kind: 'refused',
          why: new Failure('unavailable', 'the head is open, so that nothing can be promised of it'),
        };
      }
      // Deleting what is not there does no harm, so for many it is not asked which of them are there.
      const ask = precondition !== undefined || changes.length <= ASKED_MAX;
      const kept: Change[] = [];
      const findings = await Promise.all(
        changes.map((change) => problemOf(caller, change, precondition, state.commit, ask)),
      );
      for (const [at, change] of changes.entries()) {
        const finding = findings[at];
        if (finding instanceof Failure) return { kind: 'refused', why: finding };
        if (finding === 'keep') kept.push(change);
      }
      return { kind: 'go', changes: kept };
    },
  };

  async function problemOf(
    caller: Caller,
    change: Change,
    precondition: Precondition | undefined,
    commit: CommitRef | undefined,
    ask: boolean,
  ): Promise<Failure | 'keep' | 'drop'> {
    if (change.kind === 'delete' && !ask) return 'keep';
    const look = commit !== undefined && (precondition !== undefined || change.kind === 'delete');
    const current = look ? await pachd.statFile(caller, commit, change.path) : undefined;
    if (precondition !== undefined) {
      const why = unmet(precondition, current);
      if (why !== undefined) return why;
    }
    if (change.kind === 'delete') return current === undefined ? 'drop' : 'keep';
    if (commit === undefined || current !== undefined) return 'keep';
    return (await collision(caller, commit, change.path)) ?? 'keep';
  }

  /** A file above the path, or a folder at it. */
  async function collision(caller: Caller, commit: CommitRef, path: string): Promise<Failure | undefined> {
    const [folder, ...above] = await Promise.all([
      lists.isFolder(caller, commit, path),
      ...foldersAbove(path).map((folder) => pachd.statFile(caller, commit, folder)),
    ]);
    if (folder) return new Failure('collision', `${path} is a folder of other objects`);
    const file = above.find((found) => found !== undefined);
    return file && new Failure('collision', `${file.path} is an object, so there can be none below it`);
  }
}

function unmet({ ifMatch, ifNoneMatch }: Precondition, current: FileSummary | undefined): Failure | undefined {
  const etag = current && `"${objectEtag(current.hash)}"`;
  if (ifMatch !== undefined) {
    if (etag === undefined) return new Failure('no-such-key', 'there is no object to match');
    if (ifMatch !== '*' && !ifMatch.includes(etag))
      return new Failure('precondition-failed', 'the object has another ETag');
  }
  if (ifNoneMatch !== undefined && etag !== undefined && (ifNoneMatch === '*' || ifNoneMatch.includes(etag))) {
    return new Failure('precondition-failed', 'the object is there');
  }
  return undefined;
}
