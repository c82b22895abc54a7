import { S3Error } from './errors.ts';
import type { BucketContext } from './operation.ts';
import { isPublicAcl, type PublicAccessSwitch, readPublicAccessText } from './wire/public-access.ts';

/** Whether the bucket was told to have that switch on. */
export async function isBlocked({ domain, caller, view }: BucketContext, name: PublicAccessSwitch): Promise<boolean> {
  return readPublicAccessText(await domain.settings.read(caller, view.bucket, 'public-access-block')).has(name);
}

/**
 * To be asked of the canned access list that comes with an object: none is kept, but a bucket that was told to refuse public ones does so.
 * Source: S3 user guide, "Blocking public access to your Amazon S3 storage". @throws S3Error AccessDenied
 */
export async function refuseIfBlocked(ctx: BucketContext, canned: string | undefined): Promise<void> {
  if (isPublicAcl(canned) && (await isBlocked(ctx, 'BlockPublicAcls'))) throw new S3Error('AccessDenied');
}
