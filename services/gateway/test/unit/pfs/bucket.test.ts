import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketName, isCommitId, parseBucketName } from '../../../src/pfs/bucket.ts';
import { Failure } from '../../../src/pfs/failure.ts';

const COMMIT = '0123456789ab4def8123456789abcdef';

describe('a bucket name', () => {
  it.each([
    ['foo', { project: 'default', repo: 'foo', branch: 'master', commitId: undefined }],
    ['dev.foo', { project: 'default', repo: 'foo', branch: 'dev', commitId: undefined }],
    ['master.foo.bar', { project: 'bar', repo: 'foo', branch: 'master', commitId: undefined }],
    [`${COMMIT}.foo`, { project: 'default', repo: 'foo', branch: 'master', commitId: COMMIT }],
    [`${COMMIT}.dev.foo`, { project: 'default', repo: 'foo', branch: 'dev', commitId: COMMIT }],
    [`${COMMIT}.dev.foo.bar`, { project: 'bar', repo: 'foo', branch: 'dev', commitId: COMMIT }],
    ['Dev_1.-foo-.B2', { project: 'B2', repo: '-foo-', branch: 'Dev_1', commitId: undefined }],
  ])('%s stands for a branch or a commit', (name, ref) => {
    expect(parseBucketName(name)).toEqual(ref);
  });

  it.each([
    '',
    '.',
    'a.b.c.d',
    'a.b.c.d.e',
    'master..bar',
    '.foo.bar',
    'master.foo.',
    'master.foo.-bar',
    'master.fo$o.bar',
    'master.foo bar.baz',
    `dev.${COMMIT}.bar`,
    `${COMMIT}.a.b.c.d`,
    COMMIT,
    `master.foo.${'p'.repeat(52)}`,
    `master.${'r'.repeat(256)}.bar`,
    'master.föö.bar',
  ])('%j is none', (name) => {
    expect(() => parseBucketName(name)).toThrowError(Failure);
  });

  it('names its branch, and is read back', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/).filter((text) => !isCommitId(text));
    const project = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,40}$/);
    fc.assert(
      fc.property(name, name, project, (branch, repo, inProject) => {
        const ref = { project: inProject, repo, branch };
        expect(parseBucketName(bucketName(ref))).toEqual({ ...ref, commitId: undefined });
      }),
    );
  });
});
