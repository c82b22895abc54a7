/** How an upload is summed up, in S3's words: by which algorithm, over the whole object or over its parts' sums. */
export interface UploadChecksum {
  readonly algorithm: string;
  readonly type: string;
}

export interface PartChecksum {
  readonly algorithm: string;
  /** Base64. */
  readonly value: string;
}

export type ObjectChecksum = UploadChecksum & PartChecksum;

/** A multipart upload that is neither completed nor aborted. */
export interface UploadRecord {
  readonly id: string;
  /** Where it belongs, as the domain names it. Nobody finds it elsewhere. */
  readonly bucket: string;
  readonly key: string;
  readonly initiatedMs: number;
  /** From then on it is as if it had been aborted. */
  readonly expiresMs: number;
  /** Left out if its client asked for none. */
  readonly checksum?: UploadChecksum;
}

export interface PartRecord {
  readonly number: number;
  /** The MD5 of its bytes in hex, without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly fileSetId: string;
  readonly checksum?: PartChecksum;
}

/** What a completed upload was asked for and what it answered, so that it can answer the same again. */
export interface CompletedRecord {
  /** A hash of the request. */
  readonly request: string;
  readonly commitId: string;
  readonly committedMs: number;
  /** The object's hash, in hex. */
  readonly hash: string;
  readonly checksum?: ObjectChecksum;
}

export type PutPartOutcome =
  /** `replacedFileSetId`: what nobody needs any more. Not told while the upload is claimed: whoever completes it may be at it. */
  | { readonly kind: 'put'; readonly replacedFileSetId: string | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'full' };

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: string }
  /** Somebody else completes it at this moment. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'completed'; readonly completed: CompletedRecord }
  | { readonly kind: 'none' };

export type RemoveOutcome =
  | { readonly kind: 'removed'; readonly fileSetIds: readonly string[] }
  /** Somebody completes it at this moment. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'none' };

/** Of all buckets together. */
export const UPLOADS_MAX = 10_000;
/** Of all uploads together. */
export const PARTS_MAX = 200_000;
/** Past it the oldest answer is forgotten. */
export const COMPLETED_MAX = 10_000;

/**
 * The unfinished multipart uploads and the answers of those just completed: the one interface behind which memory, the data
 * folder and a store of a fleet stand. Each call is atomic, and what it answered is kept. Uploads that have expired are not there.
 * Who may do what is for the caller to check, before each.
 */
export interface UploadRegistry {
  /** 'full' when there are UPLOADS_MAX. The id is to be new. */
  create(upload: UploadRecord): Promise<'created' | 'full'>;
  get(bucket: string, id: string): Promise<UploadRecord | undefined>;
  /** The uploads of a bucket, in no order. */
  list(bucket: string): Promise<readonly UploadRecord[]>;
  /** Keeps a part, in place of an earlier one of its number. 'full' when there are PARTS_MAX. */
  putPart(bucket: string, id: string, part: PartRecord): Promise<PutPartOutcome>;
  /** The parts behind a number, in order, at most `max`; undefined: there is no such upload. */
  parts(bucket: string, id: string, afterNumber: number, max: number): Promise<readonly PartRecord[] | undefined>;
  /**
   * The right to complete an upload, for one at a time. It ends after `leaseMs` if it is neither renewed nor given back, since
   * who holds it may have died.
   */
  claim(bucket: string, id: string, leaseMs: number): Promise<ClaimOutcome>;
  /** Nothing happens to a claim that has been lost. */
  renew(bucket: string, id: string, claim: string, leaseMs: number): Promise<void>;
  /** Gives a claim back: the upload goes on. */
  release(bucket: string, id: string, claim: string): Promise<void>;
  /**
   * Ends an upload with the answer that `claim` gives from now on, for `keepMs`. Gives the file sets of its parts, which nobody
   * needs any more; none if the claim had been lost and somebody else has completed or removed it.
   */
  complete(
    bucket: string,
    id: string,
    claim: string,
    completed: CompletedRecord,
    keepMs: number,
  ): Promise<readonly string[]>;
  /** Forgets an upload and its parts, unless it is claimed. */
  remove(bucket: string, id: string): Promise<RemoveOutcome>;
  /** Ends what the registry holds open, after all that was asked of it. */
  close(): Promise<void>;
}
