import { createHash, randomBytes } from 'node:crypto';
import type {
  ObjectChecksum,
  PartChecksum,
  PartRecord,
  UploadChecksum,
  UploadRecord,
  UploadRegistry,
} from '../cache/uploads.ts';
import type { Pachd } from '../pachd/client.ts';
import type { Caller } from '../pachd/model.ts';
import { type BucketRef, bucketName } from './bucket.ts';
import type { Disposal } from './disposal.ts';
import { Failure } from './failure.ts';
import { pathOfKey } from './key.ts';
import {
  type CompletedUpload,
  createCompletion,
  type Examine,
  type NamedPart,
  noSuchUpload,
} from './upload-completion.ts';
import type { Precondition } from './write/change.ts';
import type { Rounds } from './write/rounds.ts';
import type { Stage } from './write/stage.ts';

/** Who completes an upload at its last moment still finds its parts. */
const PIN_MARGIN_SECONDS = 300;
/** What `create` gives. A client may ask for anything. */
const ID = /^[0-9a-z]{9}[A-Za-z0-9_-]{24}$/;

export type { ObjectChecksum, PartChecksum, UploadChecksum };
export type Part = Omit<PartRecord, 'fileSetId'>;
export type Upload = Omit<UploadRecord, 'bucket'>;

/** The bytes of a part on their way. */
export interface PartContent {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Of the bytes, once they came to a clean end. */
  checksum(): PartChecksum | undefined;
}

export type Uploads = ReturnType<typeof createUploads>;

/**
 * Multipart uploads on file sets: a part is a file set, pinned for as long as its upload may take; to complete is to compose the
 * parts' sets in order, and to copy the one composed file to its key. No byte passes tusk twice, and an object is one
 * commit.
 */
export function createUploads(
  registry: UploadRegistry,
  pachd: Pachd,
  stage: Stage,
  rounds: Rounds,
  disposal: Disposal,
  maxAgeHours: number,
) {
  const completion = createCompletion(registry, pachd, stage, rounds, disposal);

  const find = async (bucket: BucketRef, path: string, id: string): Promise<UploadRecord> => {
    const upload = ID.test(id) ? await registry.get(bucketKey(bucket), id) : undefined;
    if (upload === undefined || pathOfKey(upload.key) !== path) throw noSuchUpload();
    return upload;
  };

  return {
    /** @throws Failure invalid-key, busy when there are too many at once */
    async create(bucket: BucketRef, key: string, checksum: UploadChecksum | undefined): Promise<Upload> {
      // Refused now, not when all parts are there.
      pathOfKey(key);
      const initiatedMs = Date.now();
      const upload = {
        // In the order of their beginning, so that a list of them can go on behind one that is gone.
        id: initiatedMs.toString(36).padStart(9, '0') + randomBytes(18).toString('base64url'),
        bucket: bucketKey(bucket),
        key,
        initiatedMs,
        expiresMs: initiatedMs + maxAgeHours * 3_600_000,
        ...(checksum === undefined ? {} : { checksum }),
      };
      if ((await registry.create(upload)) === 'full')
        throw new Failure('busy', 'too many multipart uploads are unfinished');
      return upload;
    },

    /** @throws Failure no-such-upload */
    find: (bucket: BucketRef, path: string, id: string): Promise<Upload> => find(bucket, path, id),

    /** An upload, and its parts behind a number, in order, at most `max`. @throws Failure no-such-upload */
    async parts(
      bucket: BucketRef,
      path: string,
      id: string,
      afterNumber: number,
      max: number,
    ): Promise<{ upload: Upload; parts: readonly Part[] }> {
      const upload = await find(bucket, path, id);
      const parts = await registry.parts(bucketKey(bucket), id, afterNumber, max);
      if (parts === undefined) throw noSuchUpload();
      return { upload, parts };
    },

    /** Stores a part, in place of an earlier one of the number. @throws Failure no-such-upload, and what the content throws */
    async putPart(
      caller: Caller,
      bucket: BucketRef,
      path: string,
      id: string,
      number: number,
      contentOf: (upload: Upload) => PartContent,
    ): Promise<Part> {
      const upload = await find(bucket, path, id);
      const { expiresMs } = upload;
      const md5 = createHash('md5');
      const content = contentOf(upload);
      const staged = await stage.fileSet(caller, hashing(content.chunks, md5));
      // A file set of its own lives ten minutes; a composed one as long as is asked for.
      const ttlSeconds = Math.max(0, Math.ceil((expiresMs - Date.now()) / 1000)) + PIN_MARGIN_SECONDS;
      const fileSetId = await pachd.composeFileSet(caller, [staged.fileSetId], ttlSeconds);
      const checksum = content.checksum();
      const part: PartRecord = {
        number,
        etag: md5.digest('hex'),
        sizeBytes: staged.sizeBytes,
        modifiedMs: Date.now(),
        fileSetId,
        ...(checksum === undefined ? {} : { checksum }),
      };
      const outcome = await registry.putPart(bucketKey(bucket), id, part);
      switch (outcome.kind) {
        case 'put':
          if (outcome.replacedFileSetId !== undefined) disposal.drop(caller, [outcome.replacedFileSetId]);
          return part;
        case 'none':
          // It was aborted or completed while the part came in.
          disposal.drop(caller, [fileSetId]);
          throw noSuchUpload();
        case 'full':
          disposal.drop(caller, [fileSetId]);
          throw new Failure('busy', 'too many parts of multipart uploads are unfinished');
      }
    },

    /**
     * Makes the object out of the named parts, once `examine` has nothing against it. Called again with the same parts it answers the same.
     * @throws Failure no-such-upload, invalid-part-order, invalid-part, part-too-small, object-too-large, those of a write, and what
     *   `examine` throws
     */
    async complete(
      caller: Caller,
      principalId: string,
      bucket: BucketRef,
      path: string,
      id: string,
      named: readonly NamedPart[],
      precondition: Precondition | undefined,
      examine: Examine,
    ): Promise<CompletedUpload> {
      const key = bucketKey(bucket);
      const upload = ID.test(id) ? await registry.get(key, id) : undefined;
      // One that is not there any more may have been completed.
      if (!ID.test(id) || (upload !== undefined && pathOfKey(upload.key) !== path)) throw noSuchUpload();
      const examined = { named, precondition, examine: (parts: readonly Part[]) => examine(upload, parts) };
      return completion.complete({ caller, principalId, bucket, bucketKey: key, path, id, ...examined });
    },

    /** Forgets an upload and its parts, whose file sets end. @throws Failure no-such-upload */
    async abort(caller: Caller, bucket: BucketRef, path: string, id: string): Promise<void> {
      await find(bucket, path, id);
      await completion.abort(caller, bucketKey(bucket), id);
    },

    /** The unfinished uploads of a bucket, in order of key, then of their beginning, which is that of their ids. */
    async list(bucket: BucketRef): Promise<readonly Upload[]> {
      const uploads = await registry.list(bucketKey(bucket));
      return [...uploads].sort((a, b) => (a.key === b.key ? (a.id < b.id ? -1 : 1) : a.key < b.key ? -1 : 1));
    },
  };
}

/** The branch, or the open commit of it. */
function bucketKey(bucket: BucketRef): string {
  return bucket.commitId === undefined ? bucketName(bucket) : `${bucket.commitId}.${bucketName(bucket)}`;
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
