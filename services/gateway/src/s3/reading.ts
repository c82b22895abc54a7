import type { ObjectInfo } from '../pfs/files.ts';
import { pathIfHoldable } from '../pfs/key.ts';
import { S3Error } from './errors.ts';
import type { BucketContext } from './operation.ts';
import type { S3Request } from './request.ts';
import { keyOf } from './target.ts';
import { parseVersionId, viewOf } from './versioned.ts';

/** An object as a request names it. */
export interface Named {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** @throws S3Error InvalidArgument, NoSuchVersion */
export function parseNamed(request: S3Request): Named {
  return { key: keyOf(request), versionId: parseVersionId(request.query.get('versionId')) };
}

/** What is known of an object without its content. @throws S3Error NoSuchKey; Failure no-such-version */
export async function statObject(ctx: BucketContext, { key, versionId }: Named): Promise<ObjectInfo> {
  const view = await viewOf(ctx, versionId);
  const path = pathIfHoldable(key);
  const info = path === undefined ? undefined : await ctx.domain.files.stat(ctx.caller, view, path);
  if (info === undefined) throw noSuchKey(key);
  return info;
}

export function noSuchKey(key: string): S3Error {
  return new S3Error('NoSuchKey', { elements: [['Key', key]] });
}
