import { onTestFinished } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';
import { startFaultyPachd } from './chaos/faulty-pachd.ts';

export interface Busy {
  readonly tusk: Tusk;
  readonly bucket: string;
  /** Resolves to the status of the write that the branch is busy with. */
  readonly first: Promise<number>;
}

/** A gateway of which one branch is busy with a write for so long. */
export async function startBusyBranch(heldMs: number): Promise<Busy> {
  const pachd = await startFaultyPachd();
  onTestFinished(() => pachd.stop());
  const tusk = await startTusk({ pachd: pachd.address });
  onTestFinished(() => tusk.stop().then(() => undefined));
  const bucket = await freshBucket(tusk);
  await pachd.arm(`ModifyFile before delay ${heldMs} once`);
  const first = send(tusk.url, 'PUT', `/${bucket}/first`, { body: 'x' }).then(({ status }) => status);
  await pachd.struck();
  return { tusk, bucket, first };
}
