import { xmlAnswer } from '../answer.ts';
import { openSource, parseSource } from '../copying.ts';
import { S3Error } from '../errors.ts';
import { checksumElement, partContent } from '../multipart-checksum.ts';
import { operation } from '../operation.ts';
import { parseUpload, partNumberOf } from '../uploading.ts';
import { versionRead } from '../versioned.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { parseCopySourceRange } from '../wire/range.ts';
import { xmlElement } from '../wire/xml.ts';
import { writableBucket } from '../writing.ts';

/** The largest part. Source: S3 user guide, "Multipart upload limits". */
const PART_MAX_BYTES = 5 * 2 ** 30;

/** Source: S3 API reference, UploadPartCopy. */
export const uploadPartCopy = operation({
  name: 'UploadPartCopy',
  access: 'write',
  lasts: 'long',
  parse: (request) => ({
    ...parseUpload(request),
    number: partNumberOf(request.query),
    source: parseSource(request),
    range: request.http.headers.get('x-amz-copy-source-range'),
  }),
  async run(ctx, { path, uploadId, number, source, range }) {
    const bucket = writableBucket(ctx.view);
    await ctx.domain.uploads.find(bucket, path, uploadId);
    const located = await openSource(ctx, source);
    const { view, info } = located;
    const { first, last } =
      range === undefined ? { first: 0, last: info.sizeBytes - 1 } : parseCopySourceRange(range, info.sizeBytes);
    if (last - first >= PART_MAX_BYTES)
      throw new S3Error('InvalidRequest', { message: 'The range is larger than a part can be.' });
    const bytes = ctx.domain.files.bytesAt(ctx.caller, located, first, last);
    const part = await ctx.domain.uploads.putPart(ctx.caller, bucket, path, uploadId, number, (upload) =>
      partContent(upload, bytes, { algorithm: undefined, value: () => undefined }),
    );
    return { part, sourceCommitId: versionRead(source.versionId, view, info) };
  },
  encode: ({ part, sourceCommitId }) =>
    xmlAnswer(
      'CopyPartResult',
      [
        xmlElement('LastModified', formatIsoDate(part.modifiedMs)),
        xmlElement('ETag', `"${part.etag}"`),
        checksumElement(part.checksum),
      ],
      [['x-amz-copy-source-version-id', sourceCommitId]],
    ),
});
