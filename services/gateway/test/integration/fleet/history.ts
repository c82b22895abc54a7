import { setTimeout as sleep } from 'node:timers/promises';
import { freshBucketName, repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { runClient, type Work } from '../history/clients.ts';
import { runOutsider } from '../history/outsider.ts';
import { type Record, startRecord } from '../history/record.ts';
import { seeded } from '../history/seeded.ts';
import { faultsOf } from './faults.ts';
import type { Fleet } from './fleet.ts';

/** Between two faults clients get something done. */
const CALM_MAX_MS = 1_000;
const WRITERS_APART = 2;

export interface FleetHistoryOptions {
  readonly seed: number;
  readonly clients: number;
  readonly requestsEach: number;
  /** Whether things go wrong meanwhile, or which, by their names. */
  readonly faults: boolean | RegExp;
  /** Whether somebody else commits at pachd meanwhile. */
  readonly outsider: boolean;
  /** What clients do; everything without it. 'apart': two write and read through the first gateway, and the others read through the others. */
  readonly work?: Exclude<Work, 'reads'> | 'apart';
  /** Buckets side by side, so that a fault meets many requests. */
  readonly buckets?: number;
}

export interface FleetHistory {
  /** What went wrong, in order. */
  readonly faults: readonly string[];
  /** How many operations are known to have been done, in all buckets. */
  readonly known: number;
  /** The keys whose operations contradict each other, with all of them. */
  contradictions(): ReturnType<Record['contradictions']>;
}

/** Lets clients work on new buckets through all gateways of a fleet, beside somebody who commits at pachd, while things go wrong. */
export async function runFleetHistory(fleet: Fleet, options: FleetHistoryOptions): Promise<FleetHistory> {
  const { seed, faults, buckets = 1 } = options;
  const names = await Promise.all(Array.from({ length: buckets }, () => newBucket(fleet)));
  let over = false;
  const happened: string[] = [];
  const trouble = makeTrouble();
  const histories = await Promise.allSettled(
    names.map((bucket, at) => runBucket(fleet, bucket, seed + at * 7_919, options)),
  );
  over = true;
  const records: Record[] = [];
  for (const outcome of [...histories, ...(await Promise.allSettled([trouble]))]) {
    if (outcome.status === 'rejected')
      throw new Error(`seed ${seed} (${happened.join('; ')}): ${outcome.reason}\n${errorsOf(fleet)}`);
    if (outcome.value !== undefined) records.push(outcome.value);
  }
  return {
    faults: happened,
    known: records.reduce((sum, record) => sum + record.known(), 0),
    contradictions: () => records.flatMap((record) => record.contradictions()),
  };

  async function makeTrouble(): Promise<undefined> {
    const choices = seeded(seed + 2_000_000);
    const possible = faultsOf(fleet).filter(({ name }) => (faults instanceof RegExp ? faults.test(name) : faults));
    while (possible.length > 0 && !over) {
      const fault = choices.pick(possible);
      happened.push(fault.name);
      await fault.happen(choices, choices.pick(names));
      await sleep(choices.below(CALM_MAX_MS));
    }
  }
}

async function newBucket(fleet: Fleet): Promise<string> {
  const bucket = freshBucketName('fleet');
  await eventually(
    'the bucket is made',
    () => send(fleet.urls[0]!, 'PUT', `/${bucket}`).catch(() => undefined),
    (answer) => answer?.status === 200 || answer?.code === 'BucketAlreadyOwnedByYou',
  );
  return bucket;
}

/** @throws what one of the clients throws */
async function runBucket(fleet: Fleet, bucket: string, seed: number, options: FleetHistoryOptions): Promise<Record> {
  const { clients, requestsEach, faults, outsider, work = 'all' } = options;
  const record = startRecord();
  let over = false;
  const others = outsider
    ? runOutsider(record, {
        pachdAt: fleet.pachds[0]!.address,
        branch: repoOf(bucket),
        choices: seeded(seed + 1_000_000),
        isOver: () => over,
        mayBreak: faults !== false,
        oneOffs: work === 'conditional' || work === 'watch',
        seenWithinMs: fleet.headTtlMs,
      })
    : undefined;
  const busy = new Set<number>();
  const client = async (number: number): Promise<void> => {
    const role = roleOf(number, work, fleet.urls);
    const onlyReads = role.work === 'reads';
    let left = requestsEach;
    if (!onlyReads) busy.add(number);
    await runClient(role.urls, bucket, record, {
      name: String(number),
      choices: seeded(seed * 1_000 + number),
      goesOn: () => (onlyReads ? busy.size > 0 : left-- > 0),
      mayBreak: faults !== false,
      work: role.work,
    }).finally(() => busy.delete(number));
  };
  const outcomes = await Promise.allSettled(Array.from({ length: clients }, (_, number) => client(number)));
  over = true;
  for (const outcome of [...outcomes, ...(await Promise.allSettled([others]))]) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
  return record;
}

function roleOf(
  number: number,
  work: NonNullable<FleetHistoryOptions['work']>,
  urls: readonly string[],
): { readonly work: Work; readonly urls: readonly string[] } {
  if (work !== 'apart') return { work, urls };
  return number < WRITERS_APART ? { work: 'plain', urls: urls.slice(0, 1) } : { work: 'reads', urls: urls.slice(1) };
}

/** What the gateways have logged as errors, or answered as such, the last of it. */
function errorsOf({ members }: Fleet): string {
  const lines = members.flatMap(({ tusk }) => tusk.program.output().split('\n'));
  return lines
    .filter((line) => /"level":("error"|50)|"status":500/.test(line))
    .slice(-5)
    .join('\n');
}
