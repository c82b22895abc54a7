import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { isPachdError } from '../../pachd/errors.ts';
import { detached } from '../../pachd/model.ts';
import { acknowledgeSeconds, roundSeconds, roundWrites } from '../../telemetry/metrics.ts';
import { currentSpan, inRound, inSpan, outsideSpans } from '../../telemetry/trace.ts';
import { type BucketRef, bucketName } from '../bucket.ts';
import { Failure } from '../failure.ts';
import type { Waiting } from './answer.ts';
import type { Submission, WriteOutcome } from './change.ts';
import { drop, dropIfRefused } from './drop.ts';
import { takeRound } from './gather.ts';
import { makeRound, type RoundParts } from './round.ts';

/** What may wait for a branch; past it clients are told to slow down. */
const QUEUE_MAX = 4_096;
/** And for how long: clients of S3 wait for an answer for a minute, and one that hears nothing does not know to come again later. */
const WAIT_MAX_MS = 40_000;

/**
 * Those who were answered together come back together, one after the other. A round that begins with the first of them leaves all
 * others for the next, and so on for ever: two rounds where one would do. So it waits until for a part of a round's time nobody came.
 */
const QUIET_PART = 1 / 20;
const COMPANY_PART = 1 / 5;
const BRANCHES_MAX = 10_000;

/** A branch's last round. */
interface Last {
  readonly size: number;
  readonly tookMs: number;
  /** In the clock of performance.now(). */
  readonly endedMs: number;
}

export interface Rounds {
  /** Makes a submission's changes, in one commit with others of the same branch and principal. */
  submit(submission: Submission): Promise<WriteOutcome>;
}

export interface RoundOptions {
  /** How many submissions go together at the most; 1: a commit for each. */
  readonly most: number;
  /** For how long a round waits for company, in milliseconds. An idle branch answers sooner with 0. */
  readonly gatherMs: number;
}

/** Resolves when those who were answered by the last round are likely to be back. */
async function company(queue: readonly Waiting[], last: Last | undefined): Promise<void> {
  if (last === undefined || last.size === 1) return;
  const untilMs = last.endedMs + last.tookMs * COMPANY_PART;
  for (let before = -1; queue.length > before && performance.now() < untilMs; ) {
    before = queue.length;
    await sleep(last.tookMs * QUIET_PART);
  }
}

/**
 * Who goes together: the writes of a branch wait while a round is under way, or while too many of its commits are unfinished, and
 * then go as one commit.
 */
export function createRounds(parts: RoundParts, { most, gatherMs }: RoundOptions): Rounds {
  const queues = new Map<string, Waiting[]>();

  const lasts = new LRUCache<string, Last>({ max: BRANCHES_MAX });

  /** A commit that cannot be asked for is no reason not to write: the round finds out what is wrong. */
  const roomFor = async ([first]: readonly Waiting[]): Promise<void> => {
    if (first === undefined) return;
    const { caller, bucket } = first.submission;
    await parts.watch.room(detached(caller), bucket).catch((error: unknown) => {
      if (!isPachdError(error)) throw error;
    });
  };

  const run = async (key: string, bucket: BucketRef): Promise<void> => {
    for (let queue = queues.get(key); queue !== undefined && queue.length > 0; queue = queues.get(key)) {
      if (gatherMs > 0) await sleep(gatherMs);
      await roomFor(queue);
      await company(queue, lasts.get(key));
      const round = takeRound(queue, most);
      const begunMs = performance.now();
      const spans = round.map(({ span }) => span);
      await inRound(spans, () => makeRound(parts, bucket, round));
      const endedMs = performance.now();
      roundWrites().observe(round.length);
      roundSeconds().observe((endedMs - begunMs) / 1_000);
      lasts.set(key, { size: round.length, tookMs: endedMs - begunMs, endedMs });
    }
    queues.delete(key);
  };

  /** Ends what waits still for its round when it took too long, or when its client is gone. Gives what is to be called at its end. */
  const leaveInTime = (key: string, waiting: Waiting): (() => void) => {
    const { submission, reject } = waiting;
    const leave = (failure: Failure) => {
      const queue = queues.get(key) ?? [];
      const place = queue.indexOf(waiting);
      // In a round it is too late: the round answers.
      if (place === -1) return;
      queue.splice(place, 1);
      drop(parts.disposal, submission);
      reject(failure);
    };
    const timer = setTimeout(() => leave(new Failure('busy', 'the branch has too much to write')), WAIT_MAX_MS);
    const gone = () => leave(new Failure('busy', 'the client is gone'));
    submission.caller.signal.addEventListener('abort', gone, { once: true });
    return () => {
      clearTimeout(timer);
      submission.caller.signal.removeEventListener('abort', gone);
    };
  };

  return {
    submit(submission) {
      const key = `${submission.bucket.commitId ?? ''} ${bucketName(submission.bucket)}`;
      const queue = queues.get(key);
      const full = queue !== undefined && queue.length >= QUEUE_MAX;
      if (full || submission.caller.signal.aborted) {
        drop(parts.disposal, submission);
        return Promise.reject(new Failure('busy', full ? 'too many writes wait for the branch' : 'the client is gone'));
      }
      const submittedMs = performance.now();
      const enqueue = (resolve: (outcome: WriteOutcome) => void, rejectIt: (error: unknown) => void): void => {
        const reject = (error: unknown) => {
          dropIfRefused(parts.disposal, submission, error);
          settled();
          rejectIt(error);
        };
        const span = currentSpan();
        const waiting = {
          submission,
          resolve: (outcome: WriteOutcome) => {
            settled();
            acknowledgeSeconds().observe((performance.now() - submittedMs) / 1_000, span?.spanContext().traceId);
            resolve(outcome);
          },
          reject,
          span,
        };
        const settled = leaveInTime(key, waiting);
        if (queue !== undefined) queue.push(waiting);
        else {
          queues.set(key, [waiting]);
          void outsideSpans(() => run(key, submission.bucket));
        }
      };
      return inSpan('wait for round', () => new Promise(enqueue));
    },
  };
}
