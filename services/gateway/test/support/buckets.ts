import { randomBytes } from 'node:crypto';
import { send } from './http.ts';
import type { Key } from './signature.ts';
import type { Tusk } from './tusk.ts';

/** A bucket name that nobody has, in project default: master.<repo>.default */
export function freshBucketName(word = 'test'): string {
  return `master.${word}-${randomBytes(5).toString('hex')}.default`;
}

/** Creates a bucket of a test's own by S3. @returns its name. */
export async function freshBucket(tusk: Tusk, key?: Key): Promise<string> {
  const bucket = freshBucketName();
  const answer = await send(tusk.url, 'PUT', `/${bucket}`, { key });
  if (answer.status !== 200) throw new Error(`CreateBucket ${bucket}: ${answer.status} ${answer.text}`);
  return bucket;
}

/** The repo of a bucket that freshBucketName named. */
export function repoOf(bucket: string): { readonly project: string; readonly repo: string; readonly branch: string } {
  const [branch = '', repo = '', project = ''] = bucket.split('.');
  return { project, repo, branch };
}
