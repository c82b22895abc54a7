import { setTimeout } from 'node:timers/promises';
import { type BucketRef, bucketName } from '../bucket.ts';
import { Failure } from '../failure.ts';
import type { Submission, WriteOutcome } from './change.ts';
import { dropIfRefused } from './drop.ts';
import { takeRound } from './gather.ts';
import { makeRound, type RoundParts, type Waiting } from './round.ts';

/** What may wait for a branch; past it clients are told to slow down. */
const QUEUE_MAX = 4_096;

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

/**
 * Who goes together: the writes of a branch wait while a round is under way, or while too many of its commits are unfinished, and
 * then go as one commit.
 */
export function createRounds(parts: RoundParts, { most, gatherMs }: RoundOptions): Rounds {
  const queues = new Map<string, Waiting[]>();

  const run = async (key: string, bucket: BucketRef): Promise<void> => {
    for (let queue = queues.get(key); queue !== undefined && queue.length > 0; queue = queues.get(key)) {
      if (gatherMs > 0) await setTimeout(gatherMs);
      await parts.watch.room(bucketName(bucket));
      await makeRound(parts, bucket, takeRound(queue, most));
    }
    queues.delete(key);
  };

  return {
    submit(submission) {
      const key = `${submission.bucket.commitId ?? ''} ${bucketName(submission.bucket)}`;
      const queue = queues.get(key);
      if (queue !== undefined && queue.length >= QUEUE_MAX) {
        return Promise.reject(new Failure('busy', 'too many writes wait for the branch'));
      }
      return new Promise((resolve, rejectIt) => {
        const reject = (error: unknown) => {
          dropIfRefused(parts.pachd, submission, error);
          rejectIt(error);
        };
        const waiting = { submission, resolve, reject };
        if (queue !== undefined) queue.push(waiting);
        else {
          queues.set(key, [waiting]);
          void run(key, submission.bucket);
        }
      });
    },
  };
}
