import { describe, expect, it } from 'vitest';
import { type Cost, newCost } from '../src/latency/cost.ts';
import { callMs, type Finishing, finishMs, holdOf, sharedReadMs } from '../src/latency/model.ts';

const cost = (what: Partial<Cost>): Cost => ({ ...newCost(), ...what });
const alone = () => 0;
const PFS = 'pfs_v2.API';

describe('the times of a real pachd', () => {
  it('grow with the entries that a read looks at, and not for a file by its name', () => {
    const dir = (hashed: number) => callMs(`${PFS}/InspectFile`, cost({ source: 'commit', files: hashed, hashed }));
    expect(dir(100_000)).toBeGreaterThan(50 * dir(100));
    const file = (files: number) => callMs(`${PFS}/InspectFile`, cost({ source: 'commit', files }));
    expect(file(100_000)).toBe(file(100));
  });

  it('grow with the bytes', () => {
    const get = (readBytes: number) => callMs(`${PFS}/GetFile`, cost({ source: 'commit', readBytes }));
    expect(get(64_000_000)).toBeGreaterThan(8 * get(1_000_000));
    const put = (writtenBytes: number) => callMs(`${PFS}/CreateFileSet`, cost({ writtenFiles: 1, writtenBytes }));
    expect(put(8_000_000)).toBeGreaterThan(20 * put(1000));
  });

  it('share what the machine can read', () => {
    expect(sharedReadMs('commit', 8 * 3_000_000)).toBeGreaterThan(
      callMs(`${PFS}/GetFile`, cost({ readBytes: 3_000_000 })),
    );
    expect(sharedReadMs('set', 1_000_000)).toBeLessThan(sharedReadMs('commit', 1_000_000));
  });

  it('of InspectRepo grow with the commits of the repo, up to a bound', () => {
    const inspect = (files: number) => callMs(`${PFS}/InspectRepo`, cost({ files }));
    expect(inspect(385)).toBe(17 + 1.87 * 384);
    expect(inspect(10_000)).toBe(inspect(385));
  });

  it('are shorter for a file set than for a commit, and longer for an open commit of many sets', () => {
    const get = (what: Partial<Cost>) => callMs(`${PFS}/GetFile`, cost(what));
    expect(get({ source: 'set' })).toBeLessThan(get({ source: 'commit' }));
    expect(get({ source: 'set', again: true })).toBeLessThan(get({ source: 'set' }));
    expect(get({ source: 'open', sets: 200 })).toBeGreaterThan(10 * get({ source: 'open', sets: 1 }));
  });

  it('are bounded by what calls get into each other: more for commits than for sets, most on one branch', () => {
    const hold = (method: string, what: Partial<Cost>, ahead: (lane: string) => number) =>
      holdOf(`${PFS}/${method}`, cost(what), ahead);
    const [commits, sets] = (['commit', 'set'] as const).map((source) => hold('GetFile', { source }, alone));
    expect(commits?.lane).not.toBe(sets?.lane);
    expect(commits?.ms).toBeGreaterThan(sets?.ms ?? 0);
    const modify = (busy: string) =>
      hold('ModifyFile', { branch: 'b' }, (lane) => (busy.split(' ').includes(lane) ? 1 : 0))?.ms ?? 0;
    expect(modify('one-off b')).toBeGreaterThan(modify('one-off'));
    expect(modify('one-off')).toBeGreaterThan(modify(''));
    expect(hold('GetVersion', {}, alone)).toBeUndefined();
  });

  it('of finishing grow with the files of the repo, the sets of the commit, and the repos that share', () => {
    const work: Finishing = {
      files: 1000,
      newFiles: 1,
      sets: 1,
      hasBase: true,
      failed: false,
      isFollowed: false,
      busyRepos: 1,
    };
    const ms = finishMs(work);
    expect(finishMs({ ...work, files: 100_000 })).toBeGreaterThan(3 * ms);
    expect(finishMs({ ...work, sets: 200 })).toBeGreaterThan(10 * ms);
    expect(finishMs({ ...work, isFollowed: true })).toBeGreaterThan(ms);
    expect(finishMs({ ...work, busyRepos: 4 })).toBeGreaterThan(finishMs({ ...work, busyRepos: 2 }));
    expect(finishMs({ ...work, sets: 200, failed: true })).toBeLessThan(ms);
  });

  it('are not of calls that pachd does not have', () => {
    expect(callMs('devpachd_v1.Debug/GetCounters', newCost())).toBe(0);
  });
});
