import { pathOfKey } from '../pfs/key.ts';
import { PART_NUMBER_MAX } from '../pfs/upload-completion.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import { keyOf } from './target.ts';
import type { Query } from './wire/encoding.ts';
import { parseCount } from './wire/number.ts';

export interface UploadInput {
  readonly key: string;
  readonly path: string;
  readonly uploadId: string;
}

/** @throws S3Error InvalidArgument for a request that names no upload */
export function parseUpload(request: S3Request): UploadInput {
  const uploadId = request.query.get('uploadId');
  if (uploadId === undefined || uploadId === '')
    throw invalid('uploadId', 'This operation does not accept a query-string without an uploadId');
  return { key: keyOf(request), path: pathOfKey(keyOf(request)), uploadId };
}

/** @throws S3Error InvalidArgument unless it is from 1 to 10,000 */
export function partNumberOf(query: Query): number {
  const number = parseCount('partNumber', query.get('partNumber'), 0);
  if (number < 1 || number > PART_NUMBER_MAX) {
    throw invalid('partNumber', `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`);
  }
  return number;
}

function invalid(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, elements: [['ArgumentName', name]] });
}
