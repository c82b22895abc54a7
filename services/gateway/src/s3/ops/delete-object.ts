import { pathIfHoldable } from '../../pfs/key.ts';
import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { keyOf } from '../target.ts';
import { deleteConditionOf, writableBucket, writerId } from '../writing.ts';

/** Deletes an object; one that is not there is deleted too. Source: S3 API reference, DeleteObject. */
export const deleteObject = operation({
  name: 'DeleteObject',
  differs: 'No delete marker: the object is not in the new commit, and stays in the older ones.',
  access: 'write',
  parse: (request) => ({ path: pathIfHoldable(keyOf(request)), precondition: deleteConditionOf(request) }),
  async run({ domain, caller, principal, view }, { path, precondition }) {
    const bucket = writableBucket(view);
    if (path === undefined) return;
    const changes = [{ kind: 'delete', path }] as const;
    await domain.rounds.submit({ caller, principalId: writerId(principal), bucket, changes, precondition });
  },
  encode: () => emptyAnswer(204),
});
