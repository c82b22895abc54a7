import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { parseUpload, partNumberOf } from '../uploading.ts';
import { writableBucket } from '../writing.ts';

/** Source: S3 API reference, UploadPart. */
export const uploadPart = operation({
  name: 'UploadPart',
  access: 'write',
  parse: (request) => ({ ...parseUpload(request), number: partNumberOf(request.query) }),
  run: ({ domain, caller, view, body }, { path, uploadId, number }) =>
    domain.uploads.putPart(caller, writableBucket(view), path, uploadId, number, body.content()),
  encode: ({ etag }) => emptyAnswer(200, [['ETag', `"${etag}"`]]),
});
