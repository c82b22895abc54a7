import { objectEtag } from '../../pfs/etag.ts';
import { type Examine, type NamedPart, PART_NUMBER_MAX } from '../../pfs/upload-completion.ts';
import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import {
  checksumElement,
  examineParts,
  type NamedChecksums,
  namedChecksums,
  parseExpected,
} from '../multipart-checksum.ts';
import { operation } from '../operation.ts';
import { bucketOf, keyOf, locationOf } from '../target.ts';
import { parseUpload } from '../uploading.ts';
import { unquoteEtag } from '../wire/etag.ts';
import { xmlElement } from '../wire/xml.ts';
import { childInteger, childrenNamed, requireChildText, type XmlNode } from '../wire/xml-read.ts';
import { preconditionOf, writableBucket, writerId } from '../writing.ts';

/** 10,000 parts with a checksum each. */
const DOCUMENT_MAX_BYTES = 4 << 20;

/** Source: S3 API reference, CompleteMultipartUpload. */
export const completeMultipartUpload = operation({
  name: 'CompleteMultipartUpload',
  differs:
    'One commit; pachd joins the parts, no byte comes back. Asked again with the same parts it answers the same for ten minutes.',
  access: 'write',
  lasts: 'long',
  parse: (request) => ({
    ...parseUpload(request),
    bucket: bucketOf(request),
    location: locationOf(request, keyOf(request)),
    precondition: preconditionOf(request),
    expected: parseExpected(request.http.headers),
  }),
  async run({ domain, caller, principal, view, body }, { path, uploadId, precondition, expected }) {
    const bucket = writableBucket(view);
    const named = namedParts(await body.document(DOCUMENT_MAX_BYTES, 'the object'));
    const examine: Examine = (upload, parts) => examineParts(upload, parts, named, expected);
    return domain.uploads.complete(caller, writerId(principal), bucket, path, uploadId, named, precondition, examine);
  },
  encode: ({ commitId, hash, checksum }, { bucket, key, location }) =>
    xmlAnswer(
      'CompleteMultipartUploadResult',
      [
        xmlElement('Location', location),
        xmlElement('Bucket', bucket),
        xmlElement('Key', key),
        xmlElement('ETag', `"${objectEtag(hash)}"`),
        checksumElement(checksum),
        checksum === undefined ? undefined : xmlElement('ChecksumType', checksum.type),
      ],
      [['x-amz-version-id', commitId]],
    ),
});

function namedParts(document: XmlNode | undefined): readonly (NamedPart & NamedChecksums)[] {
  if (document?.name !== 'CompleteMultipartUpload') throw new S3Error('MalformedXML');
  const parts = childrenNamed(document, 'Part');
  if (parts.length === 0 || parts.length > PART_NUMBER_MAX) throw new S3Error('MalformedXML');
  return parts.map((part) => {
    const number = childInteger(part, 'PartNumber');
    if (number === undefined || number < 1 || number > PART_NUMBER_MAX) throw new S3Error('MalformedXML');
    return { number, etag: unquoteEtag(requireChildText(part, 'ETag').trim()), checksums: namedChecksums(part) };
  });
}
