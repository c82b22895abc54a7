import { LRUCache } from 'lru-cache';
import type { Pachd } from '../../pachd/client.ts';
import { type Caller, type CommitRef, detached } from '../../pachd/model.ts';
import { type DeltaEntry, type GrowingOverlay, growingOverlay } from '../overlay.ts';
import type { BucketView, States } from '../state.ts';
import type { Change } from './change.ts';
import { knownHash, sizeOf } from './edits.ts';

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
  /** An open commit as the commit that it stands on and what is known to lie over it; undefined: it has changed too much. */
  seen(caller: Caller, view: BucketView): Promise<BucketView | undefined>;
  /** Notes what was written into an open commit. */
  wrote(view: BucketView, changes: readonly Change[]): Promise<void>;
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
      overlay.put(file.path, deleted ? { kind: 'deleted' } : putEntry(view, file.sizeBytes, file.hash));
    }
    return { base, overlay };
  };

  return {
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
      for (const change of changes) {
        const put = () => putEntry(view, sizeOf(change), knownHash(change));
        known.overlay.put(change.path, change.kind === 'delete' ? { kind: 'deleted' } : put());
      }
      if (known.overlay.size > PATHS_MAX) commits.set(keyOf(view), Promise.resolve('too much'));
    },
  };
}

function putEntry({ headId, commitMs }: BucketView, sizeBytes: number, hash: Uint8Array | undefined): DeltaEntry {
  return { kind: 'put', commitId: headId, sizeBytes, hash, timeMs: commitMs, staged: undefined };
}

function commitOf({ bucket, headId }: BucketView): CommitRef {
  return { project: bucket.project, repo: bucket.repo, commitId: headId };
}

function keyOf({ bucket, headId }: BucketView): string {
  return `${bucket.project}/${bucket.repo}@${headId}`;
}
