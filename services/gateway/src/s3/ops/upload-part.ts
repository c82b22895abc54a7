import { emptyAnswer } from '../answer.ts';
import { partContent } from '../multipart-checksum.ts';
import { operation } from '../operation.ts';
import { parseUpload, partNumberOf } from '../uploading.ts';
import { writableBucket } from '../writing.ts';

/** Source: S3 API reference, UploadPart. */
export const uploadPart = operation({
  name: 'UploadPart',
  access: 'write',
  parse: (request) => ({ ...parseUpload(request), number: partNumberOf(request.query) }),
  run: ({ domain, caller, view, body }, { path, uploadId, number }) =>
    domain.uploads.putPart(caller, writableBucket(view), path, uploadId, number, (upload) => {
      const chunks = body.content();
      return partContent(upload, chunks, { algorithm: body.checksumAlgorithm, value: () => body.checksum() });
    }),
  encode: ({ etag, checksum }) =>
    emptyAnswer(200, [
      ['ETag', `"${etag}"`],
      ...(checksum === undefined
        ? []
        : [[`x-amz-checksum-${checksum.algorithm.toLowerCase()}`, checksum.value] as const]),
    ]),
});
