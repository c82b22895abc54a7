import { expect, it } from 'vitest';
import { createLineage } from '../../../src/pfs/lineage.ts';
import type { DeltaEntry } from '../../../src/pfs/overlay.ts';

const BASE = { project: 'default', repo: 'data', commitId: 'base' };
const PUT: DeltaEntry = {
  kind: 'put',
  commitId: 'next',
  sizeBytes: 1,
  hash: undefined,
  timeMs: 0,
  staged: undefined,
};

it('a commit touches what it put and what it deleted, and the folders above; it puts below those of what it put', () => {
  const lineage = createLineage();
  const entries = new Map<string, DeltaEntry>([
    ['/put/here/file', PUT],
    ['/gone/here/file', { kind: 'deleted' }],
  ]);
  lineage.note(BASE, ['next'], new Map([['next', { entries }]]));
  const step = lineage.stepOf({ ...BASE, commitId: 'next' });
  const of = (path: string) => [step?.touches(path), step?.putsBelow(path)];
  expect(of('/put/here/file')).toEqual([true, false]);
  for (const folder of ['/put', '/put/here']) expect(of(folder)).toEqual([true, true]);
  for (const folder of ['/gone', '/gone/here']) expect(of(folder)).toEqual([true, false]);
  for (const path of ['/pu', '/put/her', '/put/here/file/below', '/other']) expect(of(path)).toEqual([false, false]);
});
