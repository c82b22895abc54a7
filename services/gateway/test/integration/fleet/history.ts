import { freshBucketName, repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { runClient } from '../history/clients.ts';
import { runOutsider } from '../history/outsider.ts';
import { type Record, startRecord } from '../history/record.ts';
import { seeded } from '../history/seeded.ts';
import { faultsOf } from './faults.ts';
import type { Fleet } from './fleet.ts';

export interface FleetHistoryOptions {
  readonly seed: number;
  readonly clients: number;
  readonly requestsEach: number;
  /** Whether things go wrong meanwhile, or which, by their names. */
  readonly faults: boolean | RegExp;
  /** Whether somebody else commits at pachd meanwhile. */
  readonly outsider: boolean;
  /** Only plain writes and reads, as fast as they go. */
  readonly plain?: boolean;
}

export interface FleetHistory {
  readonly record: Record;
  readonly faults: readonly string[];
  readonly startedByOthers: number;
}

/** Lets clients work on a new bucket through all gateways of a fleet, beside somebody who commits at pachd, while things go wrong. */
export async function runFleetHistory(fleet: Fleet, options: FleetHistoryOptions): Promise<FleetHistory> {
  const { seed, clients, requestsEach, faults } = options;
  const bucket = freshBucketName('fleet');
  await eventually(
    'the bucket is made',
    () => send(fleet.urls[0]!, 'PUT', `/${bucket}`).catch(() => undefined),
    (answer) => answer?.status === 200 || answer?.code === 'BucketAlreadyOwnedByYou',
  );
  const record = startRecord();
  let over = false;
  const others = runOthers().catch((error: unknown) => {
    // Their pachd may be killed under them; whoever else fails them is to be told of.
    if (faults === false) throw error;
    return { started: 0 };
  });
  const happened: string[] = [];
  const trouble = (async () => {
    const choices = seeded(seed + 2_000_000);
    const possible = faultsOf(fleet).filter(({ name }) => (faults instanceof RegExp ? faults.test(name) : faults));
    while (possible.length > 0 && !over) {
      const fault = choices.pick(possible);
      happened.push(fault.name);
      await fault.happen(choices, bucket);
    }
  })();
  const working = Array.from({ length: clients }, (_, number) => {
    let left = requestsEach;
    return runClient(fleet.urls, bucket, record, {
      name: String(number),
      choices: seeded(seed * 1_000 + number),
      goesOn: () => left-- > 0,
      mayBreak: faults !== false,
      plain: options.plain ?? false,
    });
  });
  const outcomes = await Promise.allSettled(working);
  over = true;
  await trouble;
  const { started: startedByOthers } = await others;
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { record, faults: happened, startedByOthers };

  async function runOthers(): Promise<{ readonly started: number }> {
    if (!options.outsider) return { started: 0 };
    return runOutsider(record, {
      pachdAt: fleet.pachds[0]!.address,
      branch: repoOf(bucket),
      choices: seeded(seed + 1_000_000),
      isOver: () => over,
      seenWithinMs: fleet.headTtlMs,
    });
  }
}
