import { LRUCache } from 'lru-cache';
import type { Pachd } from '../pachd/client.ts';
import { type Caller, type CommitRef, type CommitSummary, commitKey, type RepoRef } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';

const COMMITS_MAX = 20_000;

/** What is known of commits. A finished one never changes, so it is asked for once. */
export interface Commits {
  /** @param wait 'finished': until it is that @throws PachdError */
  inspect(caller: Caller, commit: CommitRef, wait: 'no' | 'finished'): Promise<CommitSummary>;
  /** A commit that may be somebody's open one. That it is open is believed for a while. @throws PachdError */
  inspectOpen(caller: Caller, commit: CommitRef): Promise<CommitSummary>;
  /** Waits until the commit below one is finished: only then can an open one be read. */
  parentFinished(caller: Caller, repo: RepoRef, summary: CommitSummary): Promise<void>;
  /** Forgets that a commit was open. */
  forgetOpen(commit: CommitRef): void;
}

/** @param openTtlMs how long an open commit is believed to be still open; 0: it is asked for each time */
export function createCommits(pachd: Pachd, openTtlMs: number): Commits {
  const count = countCache('commit');
  const finished = new LRUCache<string, CommitSummary>({ max: COMMITS_MAX });
  /** Whether they still are open is told by pachd to those who write, and of no matter to who reads. */
  const open = new LRUCache<string, CommitSummary>({ max: COMMITS_MAX, ttl: Math.max(1, openTtlMs) });

  const inspect: Commits['inspect'] = async (caller, commit, wait) => {
    const key = commitKey(commit);
    const known = finished.get(key);
    count.asked(known !== undefined);
    if (known !== undefined) return known;
    const summary = await pachd.inspectCommit(caller, commit, wait);
    if (summary.state === 'finished') finished.set(key, summary);
    return summary;
  };

  const parentFinished: Commits['parentFinished'] = async (caller, { project, repo }, { parentId }) => {
    if (parentId !== undefined) await inspect(caller, { project, repo, commitId: parentId }, 'finished');
  };

  return {
    inspect,
    parentFinished,
    async inspectOpen(caller, commit) {
      const known = open.get(commitKey(commit));
      if (known !== undefined) return known;
      const summary = await inspect(caller, commit, 'no');
      if (summary.state === 'finishing') return inspect(caller, commit, 'finished');
      if (summary.state === 'open') {
        await parentFinished(caller, commit, summary);
        if (openTtlMs > 0) open.set(commitKey(commit), summary);
      }
      return summary;
    },
    forgetOpen: (commit) => void open.delete(commitKey(commit)),
  };
}
