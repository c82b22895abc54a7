import type { Caller, CommitRef } from '../../pachd/model.ts';
import type { States } from '../state.ts';

/** Follows the unfinished commits of branches, so that no more of them come than pachd can finish. */
export interface Watch {
  /** Follows a commit until it is finished, or until that cannot be found out. */
  follow(branch: string, caller: Caller, commit: CommitRef): void;
  /** Resolves when a branch may have one more. */
  room(branch: string): Promise<void>;
  /** How many are followed, of all branches. */
  unfinished(): number;
}

/** @param pendingMax how many unfinished commits of a branch there may be */
export function createWatch(states: States, pendingMax: number): Watch {
  const counts = new Map<string, number>();
  const waiting = new Map<string, () => void>();

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

  return {
    follow(branch, caller, commit) {
      change(branch, 1);
      states.finished(caller, commit).then(
        () => change(branch, -1),
        () => change(branch, -1),
      );
    },
    room: (branch) =>
      (counts.get(branch) ?? 0) < pendingMax
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.set(branch, resolve);
          }),
    unfinished: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
  };
}
