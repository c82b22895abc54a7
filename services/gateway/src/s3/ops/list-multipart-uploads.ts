import type { Upload } from '../../pfs/uploads.ts';
import { xmlAnswer } from '../answer.ts';
import { parseListing } from '../listing.ts';
import { operation } from '../operation.ts';
import { ownerElement } from '../owner.ts';
import { bucketOf } from '../target.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { parseCount } from '../wire/number.ts';
import { type Xml, xmlElement } from '../wire/xml.ts';
import { writableBucket } from '../writing.ts';

const UPLOADS_MAX = 1_000;

type Entry =
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** Source: S3 API reference, ListMultipartUploads. */
export const listMultipartUploads = operation({
  name: 'ListMultipartUploads',
  access: 'write',
  parse(request) {
    const keyMarker = request.query.get('key-marker') ?? '';
    return {
      bucket: bucketOf(request),
      listing: parseListing(request),
      max: Math.min(UPLOADS_MAX, parseCount('max-uploads', request.query.get('max-uploads'), UPLOADS_MAX)),
      keyMarker,
      // Without a key it means nothing.
      uploadIdMarker: keyMarker === '' ? '' : (request.query.get('upload-id-marker') ?? ''),
    };
  },
  async run({ domain, view }, { listing: { prefix, delimiter }, max, keyMarker, uploadIdMarker }) {
    const uploads = (await domain.uploads.list(writableBucket(view))).filter(({ key }) => key.startsWith(prefix));
    const entries = grouped(behind(uploads, keyMarker, uploadIdMarker), prefix, delimiter, keyMarker);
    return { page: entries.slice(0, max), truncated: max > 0 && entries.length > max };
  },
  encode({ page, truncated }, { bucket, listing, max, keyMarker, uploadIdMarker }) {
    const { encode, prefix, delimiter, encodingType } = listing;
    const last = truncated ? page.at(-1) : undefined;
    return xmlAnswer('ListMultipartUploadsResult', [
      xmlElement('Bucket', bucket),
      xmlElement('KeyMarker', encode(keyMarker)),
      xmlElement('UploadIdMarker', uploadIdMarker),
      xmlElement(
        'NextKeyMarker',
        last === undefined ? '' : encode(last.kind === 'upload' ? last.upload.key : last.prefix),
      ),
      xmlElement('NextUploadIdMarker', last?.kind === 'upload' ? last.upload.id : ''),
      xmlElement('Prefix', encode(prefix)),
      delimiter === '' ? undefined : xmlElement('Delimiter', encode(delimiter)),
      encodingType === undefined ? undefined : xmlElement('EncodingType', encodingType),
      xmlElement('MaxUploads', max),
      xmlElement('IsTruncated', truncated),
      ...page.flatMap((entry) => (entry.kind === 'upload' ? [uploadElement(entry.upload, encode)] : [])),
      ...page.flatMap((entry) =>
        entry.kind === 'prefix' ? [xmlElement('CommonPrefixes', [xmlElement('Prefix', encode(entry.prefix))])] : [],
      ),
    ]);
  },
});

/** What comes after the markers: with an upload's id, also the key's own uploads that were begun after that one. */
function behind(uploads: readonly Upload[], keyMarker: string, uploadIdMarker: string): readonly Upload[] {
  return uploads.filter(
    ({ key, id }) => key > keyMarker || (key === keyMarker && uploadIdMarker !== '' && id > uploadIdMarker),
  );
}

function grouped(uploads: readonly Upload[], prefix: string, delimiter: string, keyMarker: string): readonly Entry[] {
  const entries: Entry[] = [];
  let given = '';
  for (const upload of uploads) {
    const at = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length);
    const common = at === -1 ? undefined : upload.key.slice(0, at + delimiter.length);
    if (common === undefined) entries.push({ kind: 'upload', upload });
    else if (common !== given && common > keyMarker) {
      given = common;
      entries.push({ kind: 'prefix', prefix: common });
    }
  }
  return entries;
}

function uploadElement({ key, id, initiatedMs, checksum }: Upload, encode: (text: string) => string): Xml {
  return xmlElement('Upload', [
    xmlElement('Key', encode(key)),
    xmlElement('UploadId', id),
    ownerElement('Initiator'),
    ownerElement(),
    xmlElement('StorageClass', 'STANDARD'),
    xmlElement('Initiated', formatIsoDate(initiatedMs)),
    checksum === undefined ? undefined : xmlElement('ChecksumAlgorithm', checksum.algorithm),
    checksum === undefined ? undefined : xmlElement('ChecksumType', checksum.type),
  ]);
}
