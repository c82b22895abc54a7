import type { S3Request } from './request.ts';

/** The key of a request on an object. The route table sends no other request to who calls this. */
export function keyOf({ target }: S3Request): string {
  if (target.scope !== 'object') throw new TypeError(`a request on a ${target.scope} has no key`);
  return target.key;
}

/** The bucket's name of a request on a bucket or an object. */
export function bucketOf({ target }: S3Request): string {
  if (target.scope === 'service') throw new TypeError('a request on the service has no bucket');
  return target.bucket;
}

/** Where an object can be had, as the client itself would ask for it. */
export function locationOf({ http, target, scheme }: S3Request, key: string): string {
  if (target.scope === 'service') throw new TypeError('a request on the service has no bucket');
  const host = http.headers.get('host') ?? '';
  const bucket = target.hosted ? '' : `/${encodePath(target.bucket)}`;
  return `${scheme}://${host}${bucket}/${encodePath(key)}`;
}

function encodePath(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/');
}
