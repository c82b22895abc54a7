import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pachd } from '../pachd/client.ts';
import type { Caller } from '../pachd/model.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import { Failure } from './failure.ts';
import type { Precondition, WriteOutcome } from './write/change.ts';
import type { Rounds } from './write/rounds.ts';
import { STAGED_PATH, type Stage } from './write/stage.ts';

export interface Part {
  readonly number: number;
  /** The MD5 of its bytes in hex, without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly fileSetId: string;
}

export interface Upload {
  readonly id: string;
  readonly bucket: BucketRef;
  readonly key: string;
  readonly path: string;
  readonly initiatedMs: number;
  /** By number. */
  readonly parts: Map<number, Part>;
}

/** A part as the client names it when it completes: by number and ETag, without quotes. */
export interface NamedPart {
  readonly number: number;
  readonly etag: string;
}

export const PART_NUMBER_MAX = 10_000;
/** Every part but the last has at least this size. Source: S3 user guide, "Multipart upload limits". */
const PART_MIN_BYTES = 5 << 20;
const OBJECT_MAX_BYTES = 5 * 2 ** 40;
/** A completed upload answers the same to who asks again, for this long. */
const COMPLETED_KEPT_MS = 10 * 60_000;
const UPLOADS_MAX = 10_000;
/** Of all uploads together: some 500 bytes each. */
const PARTS_MAX = 200_000;
const COMPLETED_MAX = 10_000;

interface Completed {
  /** A hash of what was asked for. */
  readonly request: string;
  readonly outcome: Promise<WriteOutcome>;
}

export type Uploads = ReturnType<typeof createUploads>;

/**
 * Multipart uploads on file sets: a part is a file set, pinned for as long as an upload may take; to complete is to compose the
 * parts' sets in order, and to copy the one composed file to its key. No byte moves twice, and an object is one commit.
 */
export function createUploads(pachd: Pachd, stage: Stage, rounds: Rounds, maxAgeHours: number) {
  const maxAgeMs = maxAgeHours * 3_600_000;
  const uploads = new Map<string, Upload>();
  const completed = new LRUCache<string, Completed>({ max: COMPLETED_MAX, ttl: COMPLETED_KEPT_MS });
  let partCount = 0;

  const forget = (upload: Upload): void => {
    if (uploads.delete(upload.id)) partCount -= upload.parts.size;
  };

  const expire = () => {
    const oldest = Date.now() - maxAgeMs;
    // They are in the order of their beginning.
    for (const upload of uploads.values()) {
      if (upload.initiatedMs >= oldest) return;
      forget(upload);
    }
  };

  const find = (bucket: BucketRef, path: string, id: string): Upload => {
    expire();
    const upload = uploads.get(id);
    if (upload === undefined || upload.path !== path || !sameBucket(upload.bucket, bucket)) {
      throw new Failure('no-such-upload', 'there is no such upload of this key');
    }
    return upload;
  };

  return {
    /** @throws Failure busy when there are too many at once */
    create(bucket: BucketRef, key: string, path: string): Upload {
      expire();
      if (uploads.size >= UPLOADS_MAX) throw new Failure('busy', 'too many multipart uploads are unfinished');
      const upload = {
        id: randomBytes(24).toString('base64url'),
        bucket,
        key,
        path,
        initiatedMs: Date.now(),
        parts: new Map(),
      };
      uploads.set(upload.id, upload);
      return upload;
    },

    /** @throws Failure no-such-upload */
    find,

    /** Stores a part, in place of an earlier one of the number. @throws Failure no-such-upload, and what the body throws */
    async putPart(
      caller: Caller,
      bucket: BucketRef,
      path: string,
      id: string,
      number: number,
      body: AsyncIterable<Uint8Array>,
    ): Promise<Part> {
      find(bucket, path, id);
      if (partCount >= PARTS_MAX) throw new Failure('busy', 'too many parts of multipart uploads are unfinished');
      const md5 = createHash('md5');
      const staged = await stage.fileSet(caller, hashing(body, md5));
      // A file set of its own lives ten minutes; a composed one as long as is asked for.
      const fileSetId = await pachd.composeFileSet(caller, [staged.fileSetId], Math.ceil(maxAgeMs / 1000));
      const part = { number, etag: md5.digest('hex'), sizeBytes: staged.sizeBytes, modifiedMs: Date.now(), fileSetId };
      // It may have been aborted or completed while the part came in.
      const { parts } = find(bucket, path, id);
      if (!parts.has(number)) partCount += 1;
      parts.set(number, part);
      return part;
    },

    /**
     * Makes the object out of the named parts. Called again with the same parts it answers the same.
     * @throws Failure no-such-upload, invalid-part-order, invalid-part, part-too-small, object-too-large, and those of a write
     */
    complete(
      caller: Caller,
      principalId: string,
      bucket: BucketRef,
      path: string,
      id: string,
      named: readonly NamedPart[],
      precondition: Precondition | undefined,
    ): Promise<WriteOutcome> {
      const request = hashOf([bucket.commitId, bucketName(bucket), path, named]);
      const before = completed.get(id);
      if (before?.request === request) return before.outcome;
      const upload = find(bucket, path, id);
      const parts = chosenParts(upload, named);
      const outcome = join(caller, principalId, upload, parts, precondition);
      completed.set(id, { request, outcome });
      outcome.then(
        () => forget(upload),
        // It can be tried again, with other parts too.
        () => completed.delete(id),
      );
      return outcome;
    },

    /** Forgets an upload and its parts, whose file sets then expire. @throws Failure no-such-upload */
    abort(bucket: BucketRef, path: string, id: string): void {
      forget(find(bucket, path, id));
    },

    /** The unfinished uploads of a bucket, in order of key, then of their beginning. */
    list(bucket: BucketRef): readonly Upload[] {
      expire();
      return [...uploads.values()]
        .filter((upload) => sameBucket(upload.bucket, bucket))
        .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.initiatedMs - b.initiatedMs));
    },
  };

  async function join(
    caller: Caller,
    principalId: string,
    { bucket, path }: Upload,
    parts: readonly Part[],
    precondition: Precondition | undefined,
  ): Promise<WriteOutcome> {
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const fileSetId = await pachd.composeFileSet(
      caller,
      parts.map((part) => part.fileSetId),
      COMPOSED_TTL_SECONDS,
    );
    const content = { kind: 'file-set', fileSetId, path: STAGED_PATH, sizeBytes } as const;
    return rounds.submit({ caller, principalId, bucket, changes: [{ kind: 'put', path, content }], precondition });
  }
}

/** Long enough for a round that waits behind others. */
const COMPOSED_TTL_SECONDS = 3_600;

function chosenParts(upload: Upload, named: readonly NamedPart[]): readonly Part[] {
  let sizeBytes = 0;
  let previous = 0;
  const parts = named.map(({ number, etag }) => {
    if (number <= previous) throw new Failure('invalid-part-order', 'the part numbers do not ascend');
    previous = number;
    const part = upload.parts.get(number);
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

async function* hashing(
  body: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    hash.update(bytes);
    yield bytes;
  }
}

function sameBucket(a: BucketRef, b: BucketRef): boolean {
  return a.commitId === b.commitId && bucketName(a) === bucketName(b);
}

function hashOf(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64');
}
