import type { BucketRef } from '../pfs/bucket.ts';
import type { Principal } from '../pfs/identity.ts';
import type { BucketView } from '../pfs/state.ts';
import type { Precondition } from '../pfs/write/change.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import { readConditions } from './wire/conditions.ts';
import type { EntityTags } from './wire/etag.ts';

/** The bucket, if it may be written to: a branch that no pipeline writes, or a commit that is open. @throws S3Error MethodNotAllowed, WriteToOutputBranch */
export function writableBucket({ bucket, derived, open }: BucketView): BucketRef {
  if (derived) throw new S3Error('WriteToOutputBranch');
  if (bucket.commitId !== undefined && !open) {
    throw new S3Error('MethodNotAllowed', { message: 'A finished commit cannot be changed; write to its branch.' });
  }
  return bucket;
}

/** Who writes, as one commit holds the writes of one. */
export function writerId(principal: Principal): string {
  return principal.kind === 'known' ? principal.id : '';
}

/**
 * If-Match and If-None-Match of a write. Source: S3 user guide, "How to prevent object overwrites with conditional writes".
 * @throws S3Error NotImplemented for If-None-Match with an ETag, as S3 does
 */
export function preconditionOf({ http }: S3Request): Precondition | undefined {
  const { ifMatch, ifNoneMatch } = readConditions((name) => http.headers.get(name));
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  if (ifNoneMatch?.kind === 'list') {
    throw new S3Error('NotImplemented', { elements: [['Header', 'If-None-Match']] });
  }
  return { ifMatch: tagsOf(ifMatch), ifNoneMatch: tagsOf(ifNoneMatch) };
}

function tagsOf(tags: EntityTags | undefined): '*' | readonly string[] | undefined {
  if (tags === undefined) return undefined;
  return tags.kind === 'any' ? '*' : tags.tags.filter(({ weak }) => !weak).map(({ value }) => `"${value}"`);
}
