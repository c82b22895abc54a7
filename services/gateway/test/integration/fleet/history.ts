import { setTimeout as sleep } from 'node:timers/promises';
import { freshBucketName, repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { runClient } from '../history/clients.ts';
import { runOutsider } from '../history/outsider.ts';
import { type Record, startRecord } from '../history/record.ts';
import { seeded } from '../history/seeded.ts';
import { faultsOf } from './faults.ts';
import type { Fleet } from './fleet.ts';

/** Between two faults clients get something done. */
const CALM_MAX_MS = 1_000;

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
  const happened: string[] = [];
  const beside = Promise.allSettled([runOthers(), makeTrouble()]);
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
  for (const outcome of [...outcomes, ...(await beside)]) {
    if (outcome.status === 'rejected')
      throw new Error(`seed ${seed} (${happened.join('; ')}): ${outcome.reason}\n${errorsOf(fleet)}`);
  }
  return { record, faults: happened };

  async function makeTrouble(): Promise<void> {
    const choices = seeded(seed + 2_000_000);
    const possible = faultsOf(fleet).filter(({ name }) => (faults instanceof RegExp ? faults.test(name) : faults));
    while (possible.length > 0 && !over) {
      const fault = choices.pick(possible);
      happened.push(fault.name);
      await fault.happen(choices, bucket);
      await sleep(choices.below(CALM_MAX_MS));
    }
  }

  async function runOthers(): Promise<void> {
    if (!options.outsider) return;
    await runOutsider(record, {
      pachdAt: fleet.pachds[0]!.address,
      branch: repoOf(bucket),
      choices: seeded(seed + 1_000_000),
      isOver: () => over,
      mayBreak: faults !== false,
      seenWithinMs: fleet.headTtlMs,
    });
  }
}

/** What the gateways have logged as errors, or answered as such, the last of it. */
function errorsOf({ members }: Fleet): string {
  const lines = members.flatMap(({ tusk }) => tusk.program.output().split('\n'));
  return lines
    .filter((line) => /"level":("error"|50)|"status":500/.test(line))
    .slice(-5)
    .join('\n');
}
