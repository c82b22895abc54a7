import { freshBucket, repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import type { Process } from '../../support/program.ts';
import type { Tusk } from '../../support/tusk.ts';
import { runClient } from '../history/clients.ts';
import { type Record, startRecord } from '../history/record.ts';
import { seeded } from '../history/seeded.ts';
import type { Outside } from '../outside.ts';
import { runGroups } from './groups.ts';

const CLIENTS = 8;
const GROUP_CLIENTS = 2;

/** Clients that work on the same few keys of a bucket, and some on groups of keys of their own, until they are told to stop. */
export interface Load {
  readonly bucket: string;
  readonly record: Record;
  /** What any of the clients had to complain about; it has stopped then. */
  complaint(): unknown;
  /** Resolves when all have their last answer. @throws the complaint */
  stop(): Promise<void>;
}

export async function startLoad(tusk: Tusk, seed: number): Promise<Load> {
  const bucket = await freshBucket(tusk);
  const { url } = tusk;
  const record = startRecord();
  let over = false;
  let complaint: unknown;
  const complain = (error: unknown) => {
    complaint ??= error;
  };
  const working = [
    ...Array.from({ length: CLIENTS }, (_, number) =>
      runClient([url], bucket, record, {
        name: String(number),
        choices: seeded(seed * 1_000 + number),
        goesOn: () => !over,
        mayBreak: true,
      }).catch(complain),
    ),
    ...Array.from({ length: GROUP_CLIENTS }, (_, number) =>
      runGroups(url, bucket, String(number), () => !over).catch(complain),
    ),
  ];
  return {
    bucket,
    record,
    complaint: () => complaint,
    async stop() {
      over = true;
      await Promise.all(working);
      if (complaint !== undefined) throw complaint;
    },
  };
}

/** Waits until so many more operations are known to have been done. @throws the complaint of a client */
export async function waitForProgress({ record, complaint }: Load, operations: number): Promise<void> {
  const goal = record.known() + operations;
  await eventually(
    `${operations} more operations`,
    record.known,
    (known) => known >= goal || complaint() !== undefined,
  );
  if (complaint() !== undefined) throw complaint();
}

/** Notes what stands at each key in the end. @throws when an object is none that was ever written */
export async function noteFinalState(url: string, { bucket, record }: Load): Promise<void> {
  for (const key of record.keys()) {
    const note = record.call();
    const answer = await send(url, 'GET', `/${bucket}/${key}`);
    if (answer.status !== 200 && answer.status !== 404) throw new Error(`GET ${key}: ${answer.status} ${answer.text}`);
    note(key, { kind: 'read', value: answer.status === 404 ? undefined : record.valueOf(answer.body) });
  }
}

/** Notes what pachd itself has at each key in the end, without any gateway. */
export async function noteAtPachd(outside: Outside, { bucket, record }: Load): Promise<void> {
  const branch = repoOf(bucket);
  const [head] = await outside.commits(branch);
  for (const key of record.keys()) {
    const note = record.call();
    const content = await outside.read(branch, head?.commit?.id ?? '', `/${key}`);
    note(key, { kind: 'read', value: content && record.valueOf(content) });
  }
}

/** The processes of a gateway whose command names a program. */
export function processesOf(tusk: Tusk, program: string): readonly Process[] {
  return tusk.program.alive().filter(({ command }) => command.includes(program));
}
