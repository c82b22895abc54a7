import { CacheLost } from '../../cache/script.ts';
import type { Caller, CommitRef } from '../../pachd/model.ts';
import { commits, finishSeconds } from '../../telemetry/metrics.ts';
import { type BucketRef, bucketName } from '../bucket.ts';
import type { Sets } from '../read/sets.ts';
import type { Branches, States } from '../state.ts';

/** Follows the unfinished commits of branches, so that no more of them come than pachd can finish. */
export interface Watch {
  /** Follows a commit until it is finished, or until that cannot be found out. */
  follow(branch: string, caller: Caller, commit: CommitRef): void;
  /** Resolves when a branch may have one more. */
  room(caller: Caller, bucket: BucketRef): Promise<void>;
  /** How many are followed, of all branches. */
  unfinished(): number;
  /** For how long the oldest of these has been; 0: there is none. */
  oldestMs(): number;
}

/** @param pendingMax how many unfinished commits of a branch there may be */
export function createWatch(states: States, branches: Branches, sets: Sets, pendingMax: number): Watch {
  const counts = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  /** When each was made, oldest first. */
  const followed = new Map<CommitRef, number>();

  const change = (branch: string, by: number): void => {
    const count = (counts.get(branch) ?? 0) + by;
    if (count === 0) counts.delete(branch);
    else counts.set(branch, count);
    if (count < pendingMax) {
      const wake = waiting.get(branch);
      waiting.delete(branch);
      wake?.();
    }
  };

  /** The pending commits of the branch, as far as they are known: also those of other workers. */
  const pendingOf = async (branch: string): Promise<readonly string[]> => {
    try {
      return await branches.pending(branch);
    } catch (error) {
      if (error instanceof CacheLost) return [];
      throw error;
    }
  };

  return {
    follow(branch, caller, commit) {
      const madeMs = performance.now();
      followed.set(commit, madeMs);
      change(branch, 1);
      const ended = (outcome: 'finished' | 'failed' | 'unknown') => {
        followed.delete(commit);
        change(branch, -1);
        commits(outcome).add();
        // The branch comes to rest at it: what is asked of it next need not wait for its set.
        if (outcome === 'finished' && !counts.has(branch)) sets.prepare(caller, commit);
        if (outcome !== 'unknown') finishSeconds().observe((performance.now() - madeMs) / 1_000);
      };
      states.finished(caller, commit).then(
        ({ error }) => ended(error === '' ? 'finished' : 'failed'),
        () => ended('unknown'),
      );
    },
    async room(caller, bucket) {
      const branch = bucketName(bucket);
      if ((counts.get(branch) ?? 0) >= pendingMax) {
        await new Promise<void>((resolve) => {
          waiting.set(branch, resolve);
        });
      }
      const { project, repo } = bucket;
      const pending = await pendingOf(branch);
      for (const commitId of pending.slice(0, Math.max(0, pending.length - pendingMax + 1))) {
        await states.finished(caller, { project, repo, commitId });
      }
    },
    unfinished: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    oldestMs() {
      const [madeMs] = followed.values();
      return madeMs === undefined ? 0 : performance.now() - madeMs;
    },
  };
}
