import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pachd } from '../../pachd/client.ts';
import { type Caller, type CommitRef, commitKey, detached } from '../../pachd/model.ts';
import { type GrowingOverlay, growingOverlay } from '../overlay.ts';
import type { BucketView, States } from '../state.ts';
import type { Change } from './change.ts';
import { deltaEntryOf } from './edits.ts';

const COMMITS_MAX = 8;
/** Of one commit, with some 300 bytes for each; past it names are looked up in the commit itself. */
const PATHS_MAX = 50_000;

interface Known {
  /** What the open commit stands on. */
  readonly base: BucketView;
  readonly overlay: GrowingOverlay;
}

/**
 * What somebody's open commit has changed, so that it can be judged what may be written into it. To look names up in the commit itself
 * would take pachd a millisecond or more for each set of files in it, and each round adds one. What others put into the commit after it
 * was first looked at is not known, and no look would help: they may put it there at any moment.
 */
export interface OpenChanges {
  /** By what name this worker is known to those who know other changes. */
  readonly writer: string;
  /** An open commit as the commit that it stands on and what is known to lie over it; undefined: it has changed too much. */
  seen(caller: Caller, view: BucketView): Promise<BucketView | undefined>;
  /** Notes what was written into an open commit. */
  wrote(view: BucketView, changes: readonly Change[]): Promise<void>;
  /** To be called when it is not known what became of a write: the commit is asked again. */
  forget(view: BucketView): void;
}

export function createOpenChanges(pachd: Pachd, states: States): OpenChanges {
  const commits = new LRUCache<string, Promise<Known | 'too much'>>({ max: COMMITS_MAX });

  const look = async (caller: Caller, view: BucketView): Promise<Known | 'too much'> => {
    const commit = commitOf(view);
    const { parentId } = await pachd.inspectCommit(caller, commit, 'no');
    const base = await states.goodVersion(caller, view, parentId);
    const overlay = growingOverlay();
    for await (const { file, deleted } of pachd.diffFiles(caller, commit, base.commit)) {
      if (overlay.size === PATHS_MAX) return 'too much';
      const { path, sizeBytes, hash } = file;
      const put = {
        kind: 'put',
        commitId: view.headId,
        sizeBytes,
        hash,
        timeMs: view.commitMs,
        staged: undefined,
      } as const;
      overlay.put(path, deleted ? { kind: 'deleted' } : put);
    }
    return { base, overlay };
  };

  return {
    writer: randomBytes(9).toString('base64url'),

    async seen(caller, view) {
      const key = keyOf(view);
      let looking = commits.get(key);
      if (looking === undefined) {
        looking = look(detached(caller), view);
        commits.set(key, looking);
        looking.catch(() => commits.delete(key));
      }
      const known = await looking;
      return known === 'too much' ? undefined : { ...known.base, overlay: known.overlay };
    },

    async wrote(view, changes) {
      const known = await commits.get(keyOf(view));
      if (known === undefined || known === 'too much') return;
      for (const change of changes) known.overlay.put(change.path, deltaEntryOf(change, view.headId, view.commitMs));
      if (known.overlay.size > PATHS_MAX) commits.set(keyOf(view), Promise.resolve('too much'));
    },

    forget: (view) => void commits.delete(keyOf(view)),
  };
}

function commitOf({ bucket, headId }: BucketView): CommitRef {
  return { project: bucket.project, repo: bucket.repo, commitId: headId };
}

function keyOf(view: BucketView): string {
  return commitKey(commitOf(view));
}
