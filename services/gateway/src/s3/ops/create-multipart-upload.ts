import { xmlAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { bucketOf, keyOf } from '../target.ts';
import { xmlElement } from '../wire/xml.ts';
import { writableBucket } from '../writing.ts';

/** Source: S3 API reference, CreateMultipartUpload. */
export const createMultipartUpload = operation({
  name: 'CreateMultipartUpload',
  differs: 'Content-Type and metadata are accepted and not kept.',
  access: 'write',
  parse: (request) => ({ bucket: bucketOf(request), key: keyOf(request) }),
  run: ({ domain, view }, { key }) => domain.uploads.create(writableBucket(view), key),
  encode: ({ id }, { bucket, key }) =>
    xmlAnswer('InitiateMultipartUploadResult', [
      xmlElement('Bucket', bucket),
      xmlElement('Key', key),
      xmlElement('UploadId', id),
    ]),
});
