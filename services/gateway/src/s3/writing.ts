import type { BucketRef } from '../pfs/bucket.ts';
import { finishedCommit } from '../pfs/failure.ts';
import type { Principal } from '../pfs/identity.ts';
import type { BucketView } from '../pfs/state.ts';
import type { Precondition } from '../pfs/write/change.ts';
import type { HeaderField } from './answer.ts';
import type { ObjectChecksum } from './auth/verified-body.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import { readConditions } from './wire/conditions.ts';
import type { EntityTags } from './wire/etag.ts';
import { parseHttpDate } from './wire/http-date.ts';
import { parseIsoDate } from './wire/iso-date.ts';

/** The bucket, if it may be written to: a branch that no pipeline writes, or a commit that is open. @throws Failure commit-is-read-only, S3Error WriteToOutputBranch */
export function writableBucket({ bucket, derived, open }: BucketView): BucketRef {
  if (derived) throw new S3Error('WriteToOutputBranch');
  if (bucket.commitId !== undefined && !open) throw finishedCommit();
  return bucket;
}

/** Who writes, as one commit holds the writes of one. */
export function writerId(principal: Principal): string {
  return principal.kind === 'known' ? principal.id : '';
}

/**
 * If-Match and If-None-Match of a write. S3 takes only `*` for If-None-Match (S3 user guide, "How to prevent object overwrites with
 * conditional writes"); an ETag there means what RFC 9110, 13.1.2 says.
 */
export function preconditionOf({ http }: S3Request): Precondition | undefined {
  const { ifMatch, ifNoneMatch } = readConditions((name) => http.headers.get(name));
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return { ifMatch: tagsOf(ifMatch), ifNoneMatch: tagsOf(ifNoneMatch) };
}

/**
 * The conditions of a delete, which may be on size and time too.
 * Source: S3 API reference, DeleteObject. @throws S3Error InvalidArgument
 */
export function deleteConditionOf(request: S3Request): Precondition | undefined {
  const { headers } = request.http;
  const tags = preconditionOf(request);
  const size = headers.get('x-amz-if-match-size');
  const time = headers.get('x-amz-if-match-last-modified-time');
  if (size === undefined && time === undefined) return tags;
  return { ifMatch: tags?.ifMatch, ifNoneMatch: tags?.ifNoneMatch, ...sizeAndTime(size, time) };
}

/** @throws S3Error InvalidArgument */
export function sizeAndTime(
  size: string | undefined,
  time: string | undefined,
): Pick<Precondition, 'ifSizeBytes' | 'ifLastModifiedSeconds'> {
  const timeMs = time === undefined ? undefined : (parseHttpDate(time) ?? parseIsoDate(time));
  if ((size !== undefined && !/^\d{1,15}$/.test(size)) || (time !== undefined && timeMs === undefined)) {
    throw new S3Error('InvalidArgument', { message: 'A condition must be a size in bytes, or a date.' });
  }
  return {
    ...(size === undefined ? {} : { ifSizeBytes: Number(size) }),
    ...(timeMs === undefined ? {} : { ifLastModifiedSeconds: Math.floor(timeMs / 1000) }),
  };
}

export function tagsOf(tags: EntityTags | undefined): '*' | readonly string[] | undefined {
  if (tags === undefined) return undefined;
  return tags.kind === 'any' ? '*' : tags.tags.filter(({ weak }) => !weak).map(({ value }) => `"${value}"`);
}

/** What S3 says of the checksum that came with a body. */
export function checksumFields(checksum: ObjectChecksum | undefined): readonly HeaderField[] {
  if (checksum === undefined) return [];
  return [
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`, checksum.value],
    ['x-amz-checksum-type', 'FULL_OBJECT'],
  ];
}
