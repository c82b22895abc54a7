import { xmlAnswer } from '../answer.ts';
import { parseUploadChecksum } from '../multipart-checksum.ts';
import { operation } from '../operation.ts';
import { refuseIfBlocked } from '../settings.ts';
import { bucketOf, keyOf } from '../target.ts';
import { xmlElement } from '../wire/xml.ts';
import { writableBucket } from '../writing.ts';

/** Source: S3 API reference, CreateMultipartUpload. */
export const createMultipartUpload = operation({
  name: 'CreateMultipartUpload',
  differs: 'Content-Type and metadata are accepted and not kept.',
  access: 'write',
  parse: (request) => ({
    bucket: bucketOf(request),
    key: keyOf(request),
    checksum: parseUploadChecksum(request.http.headers),
    acl: request.http.headers.get('x-amz-acl'),
  }),
  async run(ctx, { key, checksum, acl }) {
    const bucket = writableBucket(ctx.view);
    await refuseIfBlocked(ctx, acl);
    return ctx.domain.uploads.create(bucket, key, checksum);
  },
  encode: ({ id }, { bucket, key, checksum }) =>
    xmlAnswer(
      'InitiateMultipartUploadResult',
      [xmlElement('Bucket', bucket), xmlElement('Key', key), xmlElement('UploadId', id)],
      checksum === undefined
        ? []
        : [
            ['x-amz-checksum-algorithm', checksum.algorithm],
            ['x-amz-checksum-type', checksum.type],
          ],
    ),
});
