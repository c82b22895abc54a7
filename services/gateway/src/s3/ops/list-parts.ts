import type { Part } from '../../pfs/uploads.ts';
import { xmlAnswer } from '../answer.ts';
import { checksumElement } from '../multipart-checksum.ts';
import { operation } from '../operation.ts';
import { ownerElement } from '../owner.ts';
import { bucketOf } from '../target.ts';
import { parseUpload } from '../uploading.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { parseCount } from '../wire/number.ts';
import { type Xml, xmlElement } from '../wire/xml.ts';
import { writableBucket } from '../writing.ts';

const PARTS_MAX = 1_000;

/** Source: S3 API reference, ListParts. */
export const listParts = operation({
  name: 'ListParts',
  access: 'write',
  parse: (request) => ({
    ...parseUpload(request),
    bucket: bucketOf(request),
    max: Math.min(PARTS_MAX, parseCount('max-parts', request.query.get('max-parts'), PARTS_MAX)),
    marker: parseCount('part-number-marker', request.query.get('part-number-marker'), 0),
  }),
  async run({ domain, view }, { path, uploadId, max, marker }) {
    const { upload, parts } = await domain.uploads.parts(writableBucket(view), path, uploadId, marker, max + 1);
    return { upload, page: parts.slice(0, max), truncated: parts.length > max };
  },
  encode: ({ upload: { checksum }, page, truncated }, { bucket, key, uploadId, max, marker }) =>
    xmlAnswer('ListPartsResult', [
      xmlElement('Bucket', bucket),
      xmlElement('Key', key),
      xmlElement('UploadId', uploadId),
      ownerElement('Initiator'),
      ownerElement(),
      xmlElement('StorageClass', 'STANDARD'),
      checksum === undefined ? undefined : xmlElement('ChecksumAlgorithm', checksum.algorithm),
      checksum === undefined ? undefined : xmlElement('ChecksumType', checksum.type),
      xmlElement('PartNumberMarker', marker),
      xmlElement('NextPartNumberMarker', page.at(-1)?.number ?? 0),
      xmlElement('MaxParts', max),
      xmlElement('IsTruncated', truncated),
      ...page.map(partElement),
    ]),
});

function partElement({ number, etag, sizeBytes, modifiedMs, checksum }: Part): Xml {
  return xmlElement('Part', [
    xmlElement('PartNumber', number),
    xmlElement('LastModified', formatIsoDate(modifiedMs)),
    xmlElement('ETag', `"${etag}"`),
    xmlElement('Size', sizeBytes),
    checksumElement(checksum),
  ]);
}
