import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { CompletedRecord, ObjectChecksum, PartRecord, UploadRecord, UploadRegistry } from '../cache/uploads.ts';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import { type Caller, detached } from '../pachd/model.ts';
import type { BucketRef } from './bucket.ts';
import type { Disposal } from './disposal.ts';
import { Failure } from './failure.ts';
import type { Precondition, WriteOutcome } from './write/change.ts';
import type { Rounds } from './write/rounds.ts';
import { STAGED_PATH, type Stage } from './write/stage.ts';

/** A part as the client names it when it completes: by number and ETag, without quotes. */
export interface NamedPart {
  readonly number: number;
  readonly etag: string;
}

/** The checksum of the object that the parts make; undefined: nobody asked for one. @throws if they are not what the client says */
export type Examine = (
  upload: Pick<UploadRecord, 'checksum'> | undefined,
  parts: readonly Omit<PartRecord, 'fileSetId'>[],
) => Promise<ObjectChecksum | undefined>;

export interface Completion {
  readonly caller: Caller;
  readonly principalId: string;
  readonly bucket: BucketRef;
  /** The bucket as the registry knows it. */
  readonly bucketKey: string;
  readonly path: string;
  readonly id: string;
  readonly named: readonly NamedPart[];
  readonly precondition: Precondition | undefined;
  readonly examine: (parts: readonly PartRecord[]) => Promise<ObjectChecksum | undefined>;
}

export interface CompletedUpload {
  readonly commitId: string;
  /** The object's. */
  readonly hash: Uint8Array;
  readonly checksum: ObjectChecksum | undefined;
}

export const PART_NUMBER_MAX = 10_000;
/** Every part but the last has at least this size. Source: S3 user guide, "Multipart upload limits". */
const PART_MIN_BYTES = 5 << 20;
const OBJECT_MAX_BYTES = 5 * 2 ** 40;
/** A completed upload answers the same to who asks again, for this long. */
const COMPLETED_KEPT_MS = 10 * 60_000;
/** When the worker that completes an upload dies, another may do it after this time. */
const LEASE_MS = 12_000;
const RENEW_MS = 4_000;
/** For how long somebody who completes or aborts waits for another who is at it. */
const WAIT_MS = 120_000;
const LOOK_AGAIN_MS = 50;
/** Long enough for a round that waits behind others, and for those who read the object until its commit is finished. */
const COMPOSED_TTL_SECONDS = 3_600;

export function createCompletion(
  registry: UploadRegistry,
  pachd: Pachd,
  stage: Stage,
  rounds: Rounds,
  disposal: Disposal,
) {
  return {
    /**
     * Makes the object out of the named parts: of those who ask at once one does it, and the others get its answer.
     * @throws Failure no-such-upload, invalid-part-order, invalid-part, part-too-small, object-too-large, and those of a write
     */
    async complete(completion: Completion): Promise<CompletedUpload> {
      const { bucketKey, path, id, named, caller } = completion;
      const request = hashOf([bucketKey, path, named]);
      return untilSettled(caller.signal, async () => {
        const outcome = await registry.claim(bucketKey, id, LEASE_MS);
        switch (outcome.kind) {
          case 'busy':
            return undefined;
          case 'claimed':
            // Who asks again later gets the answer, also when this one has gone away.
            return answerOf(await complete({ ...completion, caller: detached(caller) }, outcome.claim, request));
          case 'completed':
            if (outcome.completed.request === request) return answerOf(outcome.completed);
            throw noSuchUpload();
          case 'none':
            throw noSuchUpload();
        }
      });
    },

    /** Forgets an upload and drops its parts. If somebody completes it at this moment, that comes first. @throws Failure no-such-upload */
    async abort(caller: Caller, bucketKey: string, id: string): Promise<void> {
      const fileSetIds = await untilSettled(caller.signal, async () => {
        const outcome = await registry.remove(bucketKey, id);
        if (outcome.kind === 'none') throw noSuchUpload();
        return outcome.kind === 'busy' ? undefined : outcome.fileSetIds;
      });
      disposal.drop(caller, fileSetIds);
    },
  };

  async function complete(completion: Completion, claim: string, request: string): Promise<CompletedRecord> {
    const { caller, bucketKey, path, id, named, examine } = completion;
    // A claim that could not be renewed ends, and another may do the same once more; what is wrong with the registry shows below.
    const renewing = setInterval(() => registry.renew(bucketKey, id, claim, LEASE_MS).catch(() => {}), RENEW_MS);
    try {
      const uploaded = await registry.parts(bucketKey, id, 0, PART_NUMBER_MAX);
      const parts = chosenParts(uploaded ?? [], named);
      const checksum = await examine(parts);
      const { commitId, committedMs, hashes } = await write(completion, parts);
      const hash = hashes.get(path);
      if (hash === undefined) throw new RangeError('a write without the hash of what it wrote');
      const completed: CompletedRecord = {
        request,
        commitId,
        committedMs,
        hash: Buffer.from(hash).toString('hex'),
        ...(checksum === undefined ? {} : { checksum }),
      };
      disposal.drop(caller, await registry.complete(bucketKey, id, claim, completed, COMPLETED_KEPT_MS));
      return completed;
    } catch (error) {
      // It can be tried again, with other parts too.
      await registry.release(bucketKey, id, claim);
      throw error;
    } finally {
      clearInterval(renewing);
    }
  }

  async function write(completion: Completion, parts: readonly PartRecord[]): Promise<WriteOutcome> {
    const { caller, principalId, bucket, path, precondition } = completion;
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const joined = await join(
      caller,
      parts.map((part) => part.fileSetId),
    );
    const content = { kind: 'file-set', path: STAGED_PATH, sizeBytes, ...joined } as const;
    return rounds.submit({ caller, principalId, bucket, changes: [{ kind: 'put', path, content }], precondition });
  }

  /**
   * One file set of all parts, as one piece. pachd takes its time for that (30 s a GB of small parts were seen), which is better
   * spent here than in the commit: there every other writer of the branch would wait, and the commit has a deadline.
   */
  async function join(
    caller: Caller,
    fileSetIds: readonly string[],
  ): Promise<{ readonly fileSetId: string; readonly hash: Uint8Array | undefined }> {
    try {
      const composed = await pachd.composeFileSet(caller, fileSetIds, COMPOSED_TTL_SECONDS);
      if (fileSetIds.length === 1) return { fileSetId: composed, hash: await stage.hash(caller, composed) };
      const joined = await pachd.joinFileSet(caller, composed, STAGED_PATH);
      disposal.drop(caller, [composed]);
      const [fileSetId, hash] = await Promise.all([
        pachd.composeFileSet(caller, [joined], COMPOSED_TTL_SECONDS),
        stage.hash(caller, joined),
      ]);
      return { fileSetId, hash };
    } catch (error) {
      if (isPachdError(error, 'file-set-gone')) throw new Failure('invalid-part', 'pachd has lost parts', error);
      throw error;
    }
  }
}

export function noSuchUpload(): Failure {
  return new Failure('no-such-upload', 'there is no such upload of this key');
}

/** Asks again until there is an answer. @throws Failure busy when there is none in time, unavailable when the client has gone away */
async function untilSettled<T>(signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
  for (const endMs = Date.now() + WAIT_MS; Date.now() < endMs; await setTimeout(LOOK_AGAIN_MS)) {
    if (signal.aborted) throw new Failure('unavailable', 'the client went away');
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Failure('busy', 'somebody else still completes the upload');
}

function chosenParts(uploaded: readonly PartRecord[], named: readonly NamedPart[]): readonly PartRecord[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  let sizeBytes = 0;
  let previous = 0;
  const parts = named.map(({ number, etag }) => {
    if (number <= previous) throw new Failure('invalid-part-order', 'the part numbers do not ascend');
    previous = number;
    const part = byNumber.get(number);
    if (part === undefined || part.etag !== etag)
      throw new Failure('invalid-part', `part ${number} was not uploaded, or has another ETag`);
    sizeBytes += part.sizeBytes;
    return part;
  });
  for (const part of parts.slice(0, -1)) {
    if (part.sizeBytes < PART_MIN_BYTES)
      throw new Failure('part-too-small', `part ${part.number} has ${part.sizeBytes} bytes`);
  }
  if (sizeBytes > OBJECT_MAX_BYTES) throw new Failure('object-too-large', `the parts have ${sizeBytes} bytes`);
  return parts;
}

function answerOf({ commitId, hash, checksum }: CompletedRecord): CompletedUpload {
  return { commitId, hash: Buffer.from(hash, 'hex'), checksum };
}

function hashOf(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64');
}
