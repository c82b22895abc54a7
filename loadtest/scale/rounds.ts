import { createRandom } from './random.ts';

/**
 * Writes: all that wait for a branch go as one commit, and at most so many commits of a branch are unfinished (docs/architecture.md, "Writes").
 * pachd finishes the commits of a repo one after the other, and repos share it.
 */

export interface Rounds {
  /** Each in a repo of its own. */
  readonly branches: number;
  readonly writers: number;
  /** From the beginning of a round to when its writes are answered, by how many they are. */
  readonly roundSeconds: (writes: number) => number;
  /** What pachd needs to finish one commit when so many repos have some that wait. */
  readonly finishSeconds: (repos: number) => number;
  /** Keys of one round. */
  readonly writesMax: number;
  /** Unfinished commits of a branch (TUSK_WRITE_PENDING). */
  readonly pendingMax: number;
}

export interface Written {
  readonly perSecond: number;
  readonly commitsPerSecond: number;
  /** How long a write waits for its answer, on average. */
  readonly seconds: number;
}

/** Writers that write again as soon as they are answered: of a branch's, all go with the next commit, as fast as it may be made. */
export function predictWrites(rounds: Rounds): Written {
  const { branches, writers, roundSeconds, finishSeconds, writesMax } = rounds;
  const ofBranch = writers / branches;
  const together = Math.min(ofBranch, writesMax);
  const commitSeconds = Math.max(roundSeconds(together), finishSeconds(branches));
  const perSecond = (branches * together) / commitSeconds;
  return { perSecond, commitsPerSecond: branches / commitSeconds, seconds: writers / perSecond };
}

interface Branch {
  waiting: { readonly sinceSeconds: number }[];
  round: readonly { readonly sinceSeconds: number }[];
  roundEndsSeconds: number;
  unfinished: number;
  /** What is left of finishing the first of them, as a part of all. */
  finishing: number;
}

/** The same, event by event: rounds that take now longer, now less; writers that come a little later; commits in line before pachd. */
export function simulateWrites(rounds: Rounds, { seconds: total, seed }: { seconds: number; seed: number }): Written {
  const { branches: count, writers, roundSeconds, finishSeconds, writesMax, pendingMax } = rounds;
  const random = createRandom(seed);
  const branches: Branch[] = Array.from({ length: count }, () => ({
    waiting: [],
    round: [],
    roundEndsSeconds: Number.POSITIVE_INFINITY,
    unfinished: 0,
    finishing: 0,
  }));
  const spread = (mean: number) => random.erlang(mean, 16);
  let nowSeconds = 0;
  let [writes, commits, waitedSeconds] = [0, 0, 0];
  const fromSeconds = total / 5;

  const tryRound = (branch: Branch): void => {
    const isIdle = branch.roundEndsSeconds === Number.POSITIVE_INFINITY;
    if (!isIdle || branch.waiting.length === 0 || branch.unfinished >= pendingMax) return;
    branch.round = branch.waiting.splice(0, writesMax);
    branch.roundEndsSeconds = nowSeconds + spread(roundSeconds(branch.round.length));
  };
  const endRound = (branch: Branch): void => {
    if (nowSeconds > fromSeconds) {
      writes += branch.round.length;
      commits += 1;
      for (const { sinceSeconds } of branch.round) waitedSeconds += nowSeconds - sinceSeconds;
    }
    branch.roundEndsSeconds = Number.POSITIVE_INFINITY;
    if (branch.unfinished === 0) branch.finishing = spread(1);
    branch.unfinished += 1;
    branch.waiting.push(...branch.round.map(() => ({ sinceSeconds: nowSeconds })));
  };

  for (let writer = 0; writer < writers; writer++) branches[writer % count]?.waiting.push({ sinceSeconds: 0 });
  for (const branch of branches) tryRound(branch);
  while (nowSeconds < total) {
    const repos = branches.filter(({ unfinished }) => unfinished > 0).length;
    const oneSeconds = finishSeconds(Math.max(1, repos));
    const finishedIn = ({ unfinished, finishing }: Branch) =>
      unfinished === 0 ? Number.POSITIVE_INFINITY : finishing * oneSeconds;
    const next = Math.min(
      ...branches.map((branch) => Math.min(finishedIn(branch), branch.roundEndsSeconds - nowSeconds)),
    );
    nowSeconds += next;
    for (const branch of branches) {
      if (branch.unfinished > 0) branch.finishing -= next / oneSeconds;
      if (branch.roundEndsSeconds <= nowSeconds) endRound(branch);
      if (branch.unfinished > 0 && branch.finishing <= 1e-12) {
        branch.unfinished -= 1;
        branch.finishing = spread(1);
      }
      tryRound(branch);
    }
  }
  const span = nowSeconds - fromSeconds;
  return { perSecond: writes / span, commitsPerSecond: commits / span, seconds: waitedSeconds / Math.max(1, writes) };
}
