import type { Db } from './db.ts';
import { PfsError } from './errors.ts';
import type { CommitRecord } from './records.ts';

/** How long another process's change may stay unseen by those who wait for it. */
const POLL_MS = 20;

export interface Waiting {
  /** Resolves to the commit once `reached` holds for it. Rejects when it is deleted, or `signal` aborts. */
  readonly until: (
    commit: CommitRecord,
    reached: (commit: CommitRecord) => boolean,
    signal: AbortSignal,
  ) => Promise<CommitRecord>;
  /** Resolves at the next look at the store; rejects when `signal` aborts. */
  readonly tick: (signal: AbortSignal) => Promise<void>;
  /** Looks at the store now: something was changed by this process. */
  readonly nudge: () => void;
  readonly close: () => void;
}

/** Processes that share a folder do not talk to each other: those who wait look at the store, all of a process with one timer. */
export function createWaiting(db: Db): Waiting {
  const looks = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let nudged = false;

  const look = () => {
    for (const check of [...looks]) check();
    if (looks.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  const watch = (check: () => void) => {
    looks.add(check);
    timer ??= setInterval(look, POLL_MS);
  };

  const wait = <T>(attempt: () => T | undefined, signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      const stop = () => {
        looks.delete(check);
        signal.removeEventListener('abort', abort);
      };
      const abort = () => {
        stop();
        reject(new PfsError('cancelled', 'context canceled'));
      };
      const check = () => {
        try {
          const result = attempt();
          if (result === undefined) return;
          stop();
          resolve(result);
        } catch (error) {
          stop();
          reject(error);
        }
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      watch(check);
    });

  return {
    until: (commit, reached, signal) => {
      const attempt = () => {
        const current = db.commits.get([commit.repoId, commit.id]);
        if (!current) throw new PfsError('unknown', `commit ${commit.id} was deleted`);
        return reached(current) ? current : undefined;
      };
      try {
        const now = attempt();
        return now ? Promise.resolve(now) : wait(attempt, signal);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    tick: (signal) => wait(() => true as const, signal).then(() => undefined),
    nudge: () => {
      if (nudged) return;
      nudged = true;
      setImmediate(() => {
        nudged = false;
        look();
      });
    },
    close: () => clearInterval(timer),
  };
}
