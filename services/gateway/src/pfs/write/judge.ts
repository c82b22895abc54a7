import pLimit from 'p-limit';
import { type Caller, detached } from '../../pachd/model.ts';
import { objectEtag } from '../etag.ts';
import { Failure } from '../failure.ts';
import type { Files, ObjectInfo } from '../files.ts';
import { foldersAbove } from '../key.ts';
import type { Lists } from '../list.ts';
import type { Names } from '../names.ts';
import type { BucketView } from '../state.ts';
import type { Change, Precondition, Submission } from './change.ts';
import type { OpenChanges } from './open-changes.ts';

/** What of a submission is to be committed: nothing is left of one that only deletes what is not there. */
export type Verdict =
  | { readonly kind: 'go'; readonly changes: readonly Change[] }
  | { readonly kind: 'refused'; readonly why: Failure };

/** A delete of at most so many keys finds out first whether there is anything to commit. */
const ASKED_MAX = 16;

/** Look-ups of all rounds of a worker that may be under way at once: a round of a thousand deep keys must not stop everybody else. */
const LOOKUPS_MAX = 32;

export type Judge = ReturnType<typeof createJudge>;

/** Says what may be written at a state. pachd would find a collision only at the finish, and drop the whole commit with it. */
export function createJudge(files: Files, lists: Lists, names: Names, openChanges: OpenChanges) {
  const limit = pLimit(LOOKUPS_MAX);
  const stat = (caller: Caller, view: BucketView, path: string) => limit(() => files.stat(caller, view, path));

  return {
    /** Finds out at once what will be asked about many submissions. @throws PachdError */
    async prepare(caller: Caller, submissions: readonly Submission[], view: BucketView): Promise<void> {
      const { commit, open, overlay } = await seenBy(caller, view);
      if (commit === undefined || open) return;
      const paths = submissions.flatMap(({ changes, precondition }) => {
        const asked = precondition !== undefined || changes.length <= ASKED_MAX;
        return changes.flatMap(({ kind, path }) =>
          kind === 'put' ? [path, ...foldersAbove(path)] : asked ? [path] : [],
        );
      });
      await names.survey(
        caller,
        commit,
        paths.filter((path) => overlay.find(path) === undefined),
      );
    },

    /**
     * Judges a submission at the state of its branch.
     * @throws PachdError when pachd cannot be asked; what is wrong with the submission itself comes as a verdict
     */
    async judge({ caller, changes, precondition }: Submission, view: BucketView): Promise<Verdict> {
      if (precondition !== undefined && view.open) {
        const why = new Failure('unavailable', 'the head is open, so that nothing can be promised of it');
        return { kind: 'refused', why };
      }
      // Deleting what is not there does no harm, so for many it is not asked which of them are there; and of an open commit it is not
      // known what others have put there.
      const ask = !view.open && (precondition !== undefined || changes.length <= ASKED_MAX);
      const kept: Change[] = [];
      const seen = await seenBy(caller, view);
      const findings = await Promise.all(changes.map((change) => problemOf(caller, change, precondition, seen, ask)));
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
    view: BucketView,
    ask: boolean,
  ): Promise<Failure | 'keep' | 'drop'> {
    if (change.kind === 'delete' && !ask) return 'keep';
    if (precondition !== undefined) {
      const why = unmet(precondition, await stat(caller, view, change.path));
      if (why !== undefined) return why;
    }
    const isThere =
      precondition !== undefined || change.kind === 'delete' ? await exists(caller, view, change.path) : false;
    if (change.kind === 'delete') return isThere ? 'keep' : 'drop';
    return isThere ? 'keep' : ((await collision(caller, view, change.path)) ?? 'keep');
  }

  /** Into an open commit is written what its base and its changes allow. */
  async function seenBy(caller: Caller, view: BucketView): Promise<BucketView> {
    return view.open ? ((await openChanges.seen(caller, view)) ?? view) : view;
  }

  /** Whether there is an object. What a pending commit put is there, though nobody may know its hash yet. */
  async function exists(caller: Caller, view: BucketView, path: string): Promise<boolean> {
    const entry = view.overlay.find(path);
    return entry === undefined ? (await stat(caller, view, path)) !== undefined : entry.kind === 'put';
  }

  /** A file above the path, or a folder at it. */
  async function collision(caller: Caller, view: BucketView, path: string): Promise<Failure | undefined> {
    const folders = foldersAbove(path);
    const [isFolder, ...areObjects] = await Promise.all([
      limit(() => lists.isFolder(caller, view, path)),
      ...folders.map((folder, at) => isObjectAbove(caller, view, folder, at === folders.length - 1)),
    ]);
    if (isFolder) return new Failure('collision', `${path} is a folder of other objects`);
    const object = folders.find((_, at) => areObjects[at]);
    if (object === undefined) return undefined;
    return new Failure('collision', `${object} is an object, so there can be none below it`);
  }

  /** Whether the folder of a new object is an object. */
  async function isObjectAbove(caller: Caller, view: BucketView, folder: string, isOwn: boolean): Promise<boolean> {
    if (await exists(caller, view, folder)) return true;
    // More objects than one are put into it at a time. If the commit does not have it at all, nobody need look for what would be below
    // these; nobody waits to find that out, and who needs to know asks again.
    if (isOwn && !view.open && view.overlay.hasBelow(folder)) {
      limit(() => lists.isFolderOfCommit(detached(caller), view, folder)).catch(() => {});
    }
    return false;
  }
}

/** Why a precondition does not hold for what is there. */
function unmet(precondition: Precondition, current: ObjectInfo | undefined): Failure | undefined {
  const { ifMatch, ifNoneMatch, ifSizeBytes, ifLastModifiedSeconds } = precondition;
  const etag = current && `"${objectEtag(current.hash)}"`;
  if (ifMatch !== undefined) {
    if (etag === undefined) return new Failure('no-such-key', 'there is no object to match');
    if (ifMatch !== '*' && !ifMatch.includes(etag))
      return new Failure('precondition-failed', 'the object has another ETag');
  }
  if (ifNoneMatch !== undefined && etag !== undefined && (ifNoneMatch === '*' || ifNoneMatch.includes(etag))) {
    return new Failure('precondition-failed', 'the object is there');
  }
  if (current === undefined) return undefined;
  if (ifSizeBytes !== undefined && ifSizeBytes !== current.sizeBytes)
    return new Failure('precondition-failed', 'the object has another size');
  if (ifLastModifiedSeconds !== undefined && ifLastModifiedSeconds !== Math.floor(current.lastModifiedMs / 1000))
    return new Failure('precondition-failed', 'the object is of another time');
  return undefined;
}
