import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { parseUpload } from '../uploading.ts';
import { writableBucket } from '../writing.ts';

/** Source: S3 API reference, AbortMultipartUpload. */
export const abortMultipartUpload = operation({
  name: 'AbortMultipartUpload',
  access: 'write',
  parse: parseUpload,
  run: async ({ domain, view }, { path, uploadId }) => domain.uploads.abort(writableBucket(view), path, uploadId),
  encode: () => emptyAnswer(204),
});
