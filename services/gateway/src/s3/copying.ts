import { parseBucketName } from '../pfs/bucket.ts';
import { objectEtag } from '../pfs/etag.ts';
import type { Located } from '../pfs/files.ts';
import { pathIfHoldable } from '../pfs/key.ts';
import type { BucketView } from '../pfs/state.ts';
import { S3Error } from './errors.ts';
import type { BucketContext } from './operation.ts';
import type { S3Request } from './request.ts';
import { parseVersionId, viewOf } from './versioned.ts';
import { type Conditions, judgeRead, readConditions } from './wire/conditions.ts';
import { type CopySource, parseCopySource } from './wire/copy-source.ts';

export interface Source extends CopySource {
  readonly conditions: Conditions;
}

/** @throws S3Error InvalidArgument */
export function parseSource({ http }: S3Request): Source {
  const source = parseCopySource(http.headers.get('x-amz-copy-source') ?? '');
  parseVersionId(source.versionId);
  return { ...source, conditions: readConditions((name) => http.headers.get(name), 'x-amz-copy-source-') };
}

/**
 * Finds the object to be copied, in its own bucket and with its own permission.
 * @throws S3Error NoSuchKey, PreconditionFailed; Failure no-such-bucket, no-such-version, denied
 */
export async function openSource(ctx: BucketContext, source: Source): Promise<Located & { readonly view: BucketView }> {
  const bucket = await ctx.domain.buckets.open(ctx.caller, ctx.principal, parseBucketName(source.bucket), 'read');
  const view = await viewOf({ ...ctx, view: bucket }, source.versionId);
  const path = pathIfHoldable(source.key);
  const located = path && (await ctx.domain.files.locate(ctx.caller, view, path));
  if (!located) throw new S3Error('NoSuchKey', { elements: [['Key', source.key]] });
  const { hash, lastModifiedMs } = located.info;
  const verdict = judgeRead(source.conditions, { etag: `"${objectEtag(hash)}"`, lastModifiedMs });
  if (verdict !== 'proceed') throw new S3Error('PreconditionFailed');
  return { ...located, view };
}
