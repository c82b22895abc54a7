import type { Caller, FileSource } from '../../pachd/model.ts';
import type { BucketRef } from '../bucket.ts';

/** What one request wants of a branch, before it is known whether it may. */
export type Change =
  | { readonly kind: 'put'; readonly path: string; readonly content: Content }
  | { readonly kind: 'delete'; readonly path: string }
  | {
      readonly kind: 'copy';
      readonly path: string;
      readonly source: FileSource;
      readonly sourcePath: string;
      readonly hash: Uint8Array;
      readonly sizeBytes: number;
    };

/** Where the bytes of a put are until they are committed. */
export type Content =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array; readonly hash: Uint8Array }
  /** One file of a file set. */
  | {
      readonly kind: 'file-set';
      readonly fileSetId: string;
      readonly path: string;
      readonly sizeBytes: number;
      /** undefined: pachd tells it when the commit is finished. */
      readonly hash: Uint8Array | undefined;
    };

/** What must hold for the key's object when the change is made. ETags are those of the wire, with their quotes. */
export interface Precondition {
  /** The object must have one of these; '*': it must be there. */
  readonly ifMatch: '*' | readonly string[] | undefined;
  /** The object must have none of these; '*': it must not be there. */
  readonly ifNoneMatch: '*' | readonly string[] | undefined;
  /** An object that is there must be of this size. */
  readonly ifSizeBytes?: number;
  /** An object that is there must be of this time, in whole seconds. */
  readonly ifLastModifiedSeconds?: number;
}

/** One request's writes, which are made together or not at all. */
export interface Submission {
  readonly caller: Caller;
  /** Who writes: only writes of one principal go into one commit. */
  readonly principalId: string;
  /** The branch, or the open commit of it that the writes are to go into. */
  readonly bucket: BucketRef;
  /** At most one for each path. */
  readonly changes: readonly Change[];
  readonly precondition: Precondition | undefined;
}

export interface WriteOutcome {
  /** The commit in which the writes are; the one that was looked at, if they changed nothing. */
  readonly commitId: string;
  readonly committedMs: number;
  /** The hash of what a put or a copy wrote, by path. */
  readonly hashes: ReadonlyMap<string, Uint8Array>;
}
