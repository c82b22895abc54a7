import { freshBucketName, repoOf } from '../../support/buckets.ts';
import { send } from '../../support/http.ts';
import { runClient } from './clients.ts';
import { runOutsider } from './outsider.ts';
import { type Record, startRecord } from './record.ts';
import { seeded } from './seeded.ts';

export interface HistoryOptions {
  readonly seed: number;
  readonly clients: number;
  readonly requestsEach: number;
  /** HOST:PORT of the pachd behind the gateway. */
  readonly pachdAt: string;
  /** Whether somebody else writes there at the same time. */
  readonly outsider: boolean;
}

export interface History {
  readonly record: Record;
  /** How many commits the outsider has started by hand. */
  readonly startedByOthers: number;
}

/** Lets clients, and somebody else, work on the same few keys of a new bucket at once. @returns what they did and saw. */
export async function runHistory(urls: readonly string[], options: HistoryOptions): Promise<History> {
  const { seed, clients, requestsEach, pachdAt } = options;
  const bucket = freshBucketName('history');
  const created = await send(urls[0] ?? '', 'PUT', `/${bucket}`);
  if (created.status !== 200) throw new Error(`CreateBucket: ${created.status} ${created.text}`);
  const record = startRecord();
  let over = false;
  const outsider = options.outsider
    ? runOutsider(record, {
        pachdAt,
        branch: repoOf(bucket),
        choices: seeded(seed + 1_000_000),
        isOver: () => over,
        mayBreak: false,
        seenWithinMs: 0,
      })
    : undefined;
  const working = Array.from({ length: clients }, (_, number) => {
    let left = requestsEach;
    const goesOn = () => left-- > 0;
    return runClient(urls, bucket, record, {
      name: String(number),
      choices: seeded(seed * 1_000 + number),
      goesOn,
      mayBreak: false,
    });
  });
  const outcomes = await Promise.allSettled(working);
  over = true;
  const startedByOthers = (await outsider)?.started ?? 0;
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { record, startedByOthers };
}
