import { foldersAbove } from '../key.ts';
import type { Change, Submission } from './change.ts';

/** What one round may hold; what is over waits for the next. */
const ROUND_CHANGES_MAX = 1_024;
const ROUND_BYTES_MAX = 32 << 20;

/**
 * Takes from the queue's front what can be one commit: of one principal, no key twice, no key below another's, within the
 * limits. What does not fit keeps its place, and so does all that comes after it on the same key.
 * @param most how many submissions at the most
 */
export function takeRound<Waiting extends { readonly submission: Submission }>(
  queue: Waiting[],
  most: number,
): readonly Waiting[] {
  const round: Waiting[] = [];
  const kept: Waiting[] = [];
  const taken = new Set<string>();
  const foldersTaken = new Set<string>();
  const passedOver = new Set<string>();
  const principalId = queue[0]?.submission.principalId;
  let changes = 0;
  let bytes = 0;
  for (const waiting of queue) {
    const { submission } = waiting;
    const size = submission.changes.reduce((sum, change) => sum + bytesOf(change), 0);
    const paths = submission.changes.map(({ path }) => path);
    const clashes = paths.some(
      (path) =>
        taken.has(path) ||
        passedOver.has(path) ||
        foldersTaken.has(path) ||
        foldersAbove(path).some((above) => taken.has(above)),
    );
    const fits = round.length < most && changes + paths.length <= ROUND_CHANGES_MAX && bytes + size <= ROUND_BYTES_MAX;
    if (round.length > 0 && (clashes || !fits || submission.principalId !== principalId)) {
      kept.push(waiting);
      for (const path of paths) passedOver.add(path);
      continue;
    }
    round.push(waiting);
    changes += paths.length;
    bytes += size;
    for (const path of paths) {
      taken.add(path);
      for (const above of foldersAbove(path)) foldersTaken.add(above);
    }
  }
  queue.splice(0, queue.length, ...kept);
  return round;
}

function bytesOf(change: Change): number {
  return change.kind === 'put' && change.content.kind === 'memory' ? change.content.bytes.length : 0;
}
