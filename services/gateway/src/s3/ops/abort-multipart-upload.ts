import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { parseUpload } from '../uploading.ts';
import { writableBucket } from '../writing.ts';

/** Source: S3 API reference, AbortMultipartUpload. */
export const abortMultipartUpload = operation({
  name: 'AbortMultipartUpload',
  access: 'write',
  parse: parseUpload,
  run: ({ domain, caller, view }, { path, uploadId }) =>
    domain.uploads.abort(caller, writableBucket(view), path, uploadId),
  encode: () => emptyAnswer(204),
});
