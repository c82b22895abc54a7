import { expect } from 'vitest';
import { repoOf } from '../../support/buckets.ts';
import type { Tusk } from '../../support/tusk.ts';
import { harmDone, NO_HARM } from '../devpachd-debug.ts';
import { connectOutside, type Outside } from '../outside.ts';
import { tornGroups } from './groups.ts';
import { type Load, noteAtPachd, noteFinalState } from './load.ts';

/**
 * After a load has stopped: nothing that was acknowledged is lost, neither through a gateway nor at pachd itself, nothing is half done,
 * no commit is open, and somebody who knows nothing of tusk can write at once.
 */
export async function expectAllWell(url: string, outside: Outside, load: Load): Promise<void> {
  const branch = repoOf(load.bucket);
  await writeFromOutside(outside, load, 'after it all');
  await noteFinalState(url, load);
  await noteAtPachd(outside, load);
  expect(load.record.contradictions()).toEqual([]);
  expect(await tornGroups(outside, branch)).toEqual([]);
  const commits = await outside.commits(branch);
  expect(commits.filter(({ finishing }) => finishing === undefined)).toEqual([]);
}

/** The same for a gateway with a pachd of its own, to which nobody else has written; and tusk has done that no harm. */
export async function expectUnharmed({ url, pachdAddress }: Tusk, load: Load): Promise<void> {
  expect(await harmDone(pachdAddress)).toEqual(NO_HARM);
  const outside = connectOutside(pachdAddress);
  try {
    await expectAllWell(url, outside, load);
  } finally {
    outside.close();
  }
}

/** In each way that pachd has, and nothing of it may be refused. */
export async function writeFromOutside(outside: Outside, { bucket }: Load, name: string): Promise<void> {
  const branch = repoOf(bucket);
  const commitId = await outside.start(branch);
  await outside.modify(branch, commitId, { [`outside/${name}`]: 'by hand' });
  await outside.finish(branch, commitId);
  await outside.commit(branch, { [`outside/${name}`]: 'at once' });
}
