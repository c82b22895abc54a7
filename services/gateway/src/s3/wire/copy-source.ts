import { S3Error } from '../errors.ts';
import { decodePath } from './encoding.ts';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/**
 * The x-amz-copy-source header (S3 API reference, CopyObject): `[/]bucket/key[?versionId=id]`, percent-encoded.
 * The version is split off before decoding, so that a key may have an encoded question mark.
 * @throws S3Error InvalidArgument if there is no bucket, no key or an empty version; InvalidURI if it is not percent-encoded UTF-8.
 */
export function parseCopySource(header: string): CopySource {
  const [, rawPath = '', versionId] = /^(.*?)(?:\?versionId=([^&]*))?$/s.exec(header) ?? [];
  const path = decodePath(rawPath);
  const start = path.startsWith('/') ? 1 : 0;
  const slash = path.indexOf('/', start);
  const bucket = path.slice(start, slash === -1 ? undefined : slash);
  const key = slash === -1 ? '' : path.slice(slash + 1);
  if (bucket === '' || key === '') {
    throw invalid('Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  }
  if (versionId === '') {
    throw invalid('Version id cannot be the empty string');
  }
  return versionId === undefined ? { bucket, key } : { bucket, key, versionId: decodePath(versionId) };
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidArgument', {
    message,
    elements: [['ArgumentName', 'x-amz-copy-source']],
  });
}
