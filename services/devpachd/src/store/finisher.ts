import type { Packs } from '../content/packs.ts';
import type { Counters } from '../counters.ts';
import { levelToMerge, mergeLayers, rowsOf } from '../files/compact.ts';
import { hashOf } from '../files/content.ts';
import { mergedEntries, openCursor } from '../files/cursor.ts';
import { holdLayers, type PreparedLayer, releaseLayers } from '../files/layers.ts';
import { END } from '../files/rows.ts';
import { createFullValidator, createValidator, type Verdict } from '../files/validate.ts';
import { type Latency, waitOut } from '../latency/latency.ts';
import type { Finishing } from '../latency/model.ts';
import { baseOf } from './commit-files.ts';
import { putCommit } from './commits.ts';
import type { Db } from './db.ts';
import { dropLease, holdsLease, isLeaseFree, LEASE_MS, takeLease } from './leases.ts';
import type { CommitRecord } from './records.ts';
import { fireTriggers } from './triggers.ts';
import type { Waiting } from './waiting.ts';

/** How long a commit that another process left finishing, or was told to finish, may lie before it is seen. */
const POLL_MS = 50;
/** How long a repo rests of which the commits cannot be finished now, because the disk is full say. */
const REST_MS = 1000;
const PAUSE_ENTRIES = 500;

export interface Finisher {
  /** Looks for work now. */
  readonly nudge: () => void;
  readonly close: () => Promise<void>;
}

export interface FinisherParts {
  readonly db: Db;
  readonly packs: Packs;
  readonly owner: string;
  readonly waiting: Waiting;
  readonly counters: Counters;
  readonly latency: Latency;
  readonly onError: (error: unknown) => void;
}

/**
 * Brings commits from FINISHING to FINISHED: merges what they changed, validates it, and makes their whole content. A repo's commits are
 * finished one after the other, by whichever process holds its lease; different repos at the same time.
 */
export function startFinisher({ db, packs, owner, waiting, counters, latency, onError }: FinisherParts): Finisher {
  const running = new Map<number, Promise<void>>();
  const restingUntil = new Map<number, number>();
  const closing = new AbortController();
  let closed = false;

  const busy = new Set<number>();
  const setBusy = (repoId: number, isBusy: boolean) => {
    if (isBusy) busy.add(repoId);
    else busy.delete(repoId);
    latency.setBusy(busy.size);
  };

  const finishRepo = async (repoId: number) => {
    const lease = `repo:${repoId}`;
    if (!(await db.write(() => takeLease(db, lease, owner)))) return;
    const renewal = setInterval(() => void db.write(() => takeLease(db, lease, owner)).catch(onError), LEASE_MS / 3);
    try {
      for (let commit = nextDue(db, repoId); commit && !closed; commit = nextDue(db, repoId)) {
        const startedAt = performance.now();
        setBusy(repoId, true);
        const due = async (work: Omit<Finishing, 'isFollowed' | 'busyRepos'>) => {
          const isFollowed = db.finishing.getKeysCount({ start: [repoId, 0], end: [repoId + 1, 0], limit: 2 }) > 1;
          const ms = latency.finishMs({ ...work, isFollowed, busyRepos: busy.size });
          await waitOut(startedAt, ms, closing.signal);
          // Before others can see it FINISHED: what they read next is not slowed by it.
          setBusy(repoId, false);
        };
        if (!(await finishOne(db, packs, owner, lease, commit, due))) break;
        counters.count('commitsFinished');
        if (db.commits.get([repoId, commit.id])?.error) counters.count('commitsFailed');
        waiting.nudge();
      }
    } finally {
      clearInterval(renewal);
      await db.write(() => dropLease(db, lease, owner));
    }
  };

  const look = () => {
    if (closed) return;
    for (const repoId of reposWithWork(db)) {
      if (running.has(repoId) || (restingUntil.get(repoId) ?? 0) > Date.now()) continue;
      restingUntil.delete(repoId);
      if (!isLeaseFree(db, `repo:${repoId}`, owner) || !nextDue(db, repoId)) continue;
      const work = finishRepo(repoId)
        .catch((error: unknown) => {
          restingUntil.set(repoId, Date.now() + REST_MS);
          onError(error);
        })
        .finally(() => {
          running.delete(repoId);
          setBusy(repoId, false);
        });
      running.set(repoId, work);
      setBusy(repoId, true);
    }
  };
  const timer = setInterval(look, POLL_MS);
  return {
    nudge: () => setImmediate(look),
    close: async () => {
      closed = true;
      closing.abort();
      clearInterval(timer);
      await Promise.all(running.values());
    },
  };
}

function reposWithWork(db: Db): ReadonlySet<number> {
  const repos = new Set<number>();
  for (let start: [number, number] = [0, 0]; ; ) {
    const [first] = [...db.finishing.getKeys({ start, limit: 1 })];
    if (!first) return repos;
    repos.add(first[0]);
    start = [first[0] + 1, 0];
  }
}

/** The oldest commit of a repo that stands on a finished one. Those on other branches need not wait while one stands on an open commit. */
function nextDue(db: Db, repoId: number): CommitRecord | undefined {
  for (const { value } of db.finishing.getRange({ start: [repoId, 0], end: [repoId + 1, 0] })) {
    const commit = db.commits.get([repoId, value]);
    if (commit && (commit.error !== '' || baseOf(db, commit)?.finished !== null)) return commit;
  }
  return undefined;
}

/** False when the commit has gone to another process. */
async function finishOne(
  db: Db,
  packs: Packs,
  owner: string,
  lease: string,
  commit: CommitRecord,
  due: (work: Omit<Finishing, 'isFollowed' | 'busyRepos'>) => Promise<void>,
): Promise<boolean> {
  const count = (rows: readonly number[]) => rowsOf(db, rows).reduce((sum, one) => sum + one, 0);
  const sets = commit.diff.length;
  if (commit.error !== '') {
    await due({ files: 0, newFiles: 0, sets, hasBase: false, failed: true });
    return settle(db, owner, lease, commit, { sizeBytes: 0, error: commit.error }, undefined);
  }
  const base = baseOf(db, commit);
  const below = base?.total ?? [];
  const pause = createPause();

  const compactingSince = Date.now();
  const diff = commit.diff.length > 1 ? await mergeLayers(db, owner, commit.diff, true) : undefined;
  const diffLayers = diff ? [await db.write(diff.commit)] : commit.diff;
  const layers = [...below, ...diffLayers];
  const validatingSince = Date.now();
  const verdict = await validate(db, packs, below, diffLayers, base?.sizeBytes ?? 0, pause);
  const validatingMs = Date.now() - validatingSince;
  const total = verdict.error === '' ? await compactTotal(db, owner, layers) : undefined;
  const compactingMs = Date.now() - compactingSince - validatingMs;

  const newFiles = count(diffLayers);
  await due({ files: count(below) + newFiles, newFiles, sets, hasBase: below.length > 0, failed: false });
  const done = await settle(db, owner, lease, commit, verdict, { diffLayers, total, compactingMs, validatingMs });
  await diff?.abandon();
  await total?.made?.abandon();
  return done;
}

interface Made {
  readonly diffLayers: readonly number[];
  readonly total: { readonly layers: readonly number[]; readonly made: PreparedLayer | undefined } | undefined;
  readonly compactingMs: number;
  readonly validatingMs: number;
}

async function compactTotal(db: Db, owner: string, layers: readonly number[]) {
  const from = levelToMerge(rowsOf(db, layers));
  if (layers.length - from < 2) return { layers, made: undefined };
  const made = await mergeLayers(db, owner, layers.slice(from), from > 0);
  return { layers: [...layers.slice(0, from), await db.write(made.commit)], made };
}

async function validate(
  db: Db,
  packs: Packs,
  below: readonly number[],
  diffLayers: readonly number[],
  baseSizeBytes: number,
  pause: () => Promise<void>,
): Promise<Verdict> {
  const total = [...below, ...diffLayers];
  const sum = (rows: readonly number[]) => rows.reduce((a, b) => a + b, 0);
  // Looking around each changed path costs several look-ups, so for large changes reading all in order is cheaper.
  if (sum(rowsOf(db, diffLayers)) * 8 >= sum(rowsOf(db, below))) {
    const validator = createFullValidator();
    const cursor = openCursor(db, total, { lower: '', upper: END });
    for (let entry = cursor.next(); entry; entry = cursor.next()) {
      validator.visit(entry);
      await pause();
    }
    await resolveHashes(db, packs, diffLayers, pause);
    return validator.verdict();
  }
  const validator = createValidator(db, below, total, baseSizeBytes);
  for (const entry of mergedEntries(db, diffLayers, true)) {
    validator.visit(entry);
    await pause();
  }
  await resolveHashes(db, packs, diffLayers, pause);
  return validator.verdict();
}

/** Reads now what a client would otherwise wait for at its first look at a file that was joined from pieces. */
async function resolveHashes(db: Db, packs: Packs, layers: readonly number[], pause: () => Promise<void>) {
  for (const entry of mergedEntries(db, layers, false)) {
    for (const content of entry.contents) if (!content.hash) await hashOf(db, packs, content);
    await pause();
  }
}

function settle(
  db: Db,
  owner: string,
  lease: string,
  commit: CommitRecord,
  verdict: Verdict,
  made: Made | undefined,
): Promise<boolean> {
  return db.write(() => {
    const current = db.commits.get([commit.repoId, commit.id]);
    db.finishing.remove([commit.repoId, commit.seq]);
    if (!current) return true;
    if (current.finished !== null) return true;
    if (!holdsLease(db, lease, owner)) {
      db.finishing.put([commit.repoId, commit.seq], commit.id);
      return false;
    }
    if (made) {
      holdLayers(db, made.diffLayers);
      releaseLayers(db, current.diff);
      if (made.total) holdLayers(db, made.total.layers);
    }
    const finished = putCommit(db, {
      ...current,
      finished: Date.now(),
      error: verdict.error,
      sizeBytes: verdict.sizeBytes,
      diff: made?.diffLayers ?? current.diff,
      total: made?.total?.layers ?? null,
      compactingMs: made?.compactingMs ?? null,
      validatingMs: made?.validatingMs ?? null,
    });
    if (finished.error === '') fireTriggers(db, finished);
    return true;
  });
}

/** Lets others have their turn now and then. */
function createPause(): () => Promise<void> {
  let count = 0;
  return async () => {
    if (++count % PAUSE_ENTRIES === 0) await new Promise((resolve) => setImmediate(resolve));
  };
}
