import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { CommitRef, RepoRef } from '../../pachd/model.ts';
import type { Span } from '../../telemetry/trace.ts';
import { Failure, failureOf } from '../failure.ts';
import type { Change, Submission, WriteOutcome } from './change.ts';
import { knownHash } from './edits.ts';
import { patiently } from './patience.ts';

/** One request's part of a round, and how it is answered. */
export interface Waiting {
  readonly submission: Submission;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** Of the request, where it is traced. */
  readonly span: Span | undefined;
}

/** What of a round goes on after it was judged. */
export interface Going {
  readonly waiting: Waiting;
  readonly changes: readonly Change[];
}

/** A commit that was made. */
export interface Made {
  readonly commitId: string;
  readonly committedMs: number;
}

/**
 * How long a hash is waited for. The write is durable by then: who was told to come again would write the same once more, and an
 * object of thousands of parts takes minutes to finish.
 */
const HASH_MAX_MS = 3_600_000;

/** Answers what is committed. A hash that only pachd can tell is waited for. */
export async function answer(
  pachd: Pachd,
  { project, repo }: RepoRef,
  { commitId, committedMs }: Made,
  going: readonly Going[],
): Promise<void> {
  const commit: CommitRef = { project, repo, commitId };
  await Promise.all(
    going.map(async ({ waiting, changes }) => {
      try {
        const hashes = new Map<string, Uint8Array>();
        for (const change of changes) {
          const hash = knownHash(change) ?? (change.kind === 'put' ? await askHash(waiting, change.path) : undefined);
          if (hash !== undefined) hashes.set(change.path, hash);
        }
        waiting.resolve({ commitId, committedMs, hashes });
      } catch (error) {
        waiting.reject(failureOf(error) ?? error);
      }
    }),
  );

  async function askHash({ submission: { caller } }: Waiting, path: string): Promise<Uint8Array> {
    for (const endMs = Date.now() + HASH_MAX_MS; ; ) {
      try {
        // A finishing commit answers when it is finished.
        const found = await patiently(() => pachd.statFile(caller, commit, path));
        if (found === undefined) throw new Failure('conflict', `${path} was written over by somebody else at once`);
        return found.hash;
      } catch (error) {
        if (!isPachdError(error, 'deadline') || Date.now() > endMs) throw error;
      }
    }
  }
}
