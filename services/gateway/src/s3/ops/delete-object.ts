import { pathIfHoldable } from '../../pfs/key.ts';
import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { keyOf } from '../target.ts';
import { deleteConditionOf, writableBucket, writerId } from '../writing.ts';

/** Deletes an object; one that is not there is deleted too. Source: S3 API reference, DeleteObject. */
export const deleteObject = operation({
  name: 'DeleteObject',
  differs:
    'The delete marker is the commit that the object is not in any more; older commits keep it, and no version can be deleted.',
  access: 'write',
  parse: (request) => ({ path: pathIfHoldable(keyOf(request)), precondition: deleteConditionOf(request) }),
  async run({ domain, caller, principal, view }, { path, precondition }) {
    const bucket = writableBucket(view);
    if (path === undefined) return undefined;
    const changes = [{ kind: 'delete', path }] as const;
    return domain.rounds.submit({ caller, principalId: writerId(principal), bucket, changes, precondition });
  },
  encode: (outcome) =>
    emptyAnswer(
      204,
      outcome === undefined
        ? []
        : [
            ['x-amz-version-id', outcome.commitId],
            ['x-amz-delete-marker', 'true'],
          ],
    ),
});
