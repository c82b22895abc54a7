import type { Caller } from '../../pachd/model.ts';
import type { BucketRef } from '../bucket.ts';
import { Failure } from '../failure.ts';
import type { BucketView, States } from '../state.ts';
import type { Going } from './answer.ts';
import type { CommitOutcome } from './commit.ts';
import type { Judge } from './judge.ts';
import { patiently } from './patience.ts';
import type { PutBack } from './put-back.ts';

interface Parts {
  readonly states: States;
  readonly judge: Judge;
  readonly putBack: PutBack;
}

/**
 * Others came between: the conditions are judged once more where the commit really stands. What does not hold there is put back.
 * Gives what stands.
 */
export async function judgedAgain(
  { states, judge, putBack }: Parts,
  caller: Caller,
  bucket: BucketRef,
  view: BucketView,
  { own }: CommitOutcome & { kind: 'finished' },
  going: readonly Going[],
): Promise<readonly Going[]> {
  if (own?.parentId === view.headId) return going;
  const standing: Going[] = [];
  for (const one of going) {
    const { waiting, changes } = one;
    if (waiting.submission.precondition === undefined) {
      standing.push(one);
      continue;
    }
    if (own === undefined) {
      waiting.reject(new Failure('unavailable', 'others wrote the same at the same moment'));
      continue;
    }
    const { parentId } = own;
    const { parent, verdict } = await patiently(async () => {
      const parent = await states.goodVersion(caller, view, parentId);
      return { parent, verdict: await judge.judge(waiting.submission, parent) };
    });
    if (verdict.kind === 'go') {
      standing.push(one);
      continue;
    }
    const before = parent.commit ?? { project: bucket.project, repo: bucket.repo, commitId: own.parentId };
    await putBack.putBack(caller, bucket, changes, before);
    waiting.reject(new Failure('conflict', 'somebody wrote the object at the same moment'));
  }
  return standing;
}
