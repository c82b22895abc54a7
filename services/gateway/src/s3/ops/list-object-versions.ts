import { objectEtag } from '../../pfs/etag.ts';
import type { ListEntry } from '../../pfs/list.ts';
import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { entryElements, lastName, parseListing, searchedPrefix } from '../listing.ts';
import { operation } from '../operation.ts';
import { ownerElement } from '../owner.ts';
import { bucketOf } from '../target.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { type Xml, xmlElement } from '../wire/xml.ts';

/** Source: S3 API reference, ListObjectVersions. */
export const listObjectVersions = operation({
  name: 'ListObjectVersions',
  differs: 'The newest version of each object alone; its id is that of the commit that is read. No delete markers.',
  access: 'list',
  parse(request) {
    const keyMarker = request.query.get('key-marker') ?? '';
    // There is one version of a key, so the version behind which it is to go on says nothing more.
    const versionIdMarker = request.query.get('version-id-marker') ?? '';
    if (keyMarker === '' && versionIdMarker !== '') {
      throw new S3Error('InvalidArgument', {
        message: 'A version-id marker cannot be specified without a key marker.',
        elements: [['ArgumentName', 'version-id-marker']],
      });
    }
    return { bucket: bucketOf(request), listing: parseListing(request), keyMarker, versionIdMarker };
  },
  async run({ domain, caller, view }, { listing, keyMarker }) {
    const { delimiter, max } = listing;
    if (max === 0) return { entries: [], truncated: false };
    return domain.lists.list(caller, view, { prefix: searchedPrefix(listing), delimiter, after: keyMarker, max });
  },
  encode({ entries, truncated }, { bucket, listing, keyMarker, versionIdMarker }) {
    const { encode, prefix, delimiter, max, encodingType } = listing;
    const last = entries.at(-1);
    return xmlAnswer('ListVersionsResult', [
      xmlElement('Name', bucket),
      xmlElement('Prefix', encode(prefix)),
      xmlElement('KeyMarker', encode(keyMarker)),
      xmlElement('VersionIdMarker', versionIdMarker),
      truncated ? xmlElement('NextKeyMarker', encode(lastName(entries))) : undefined,
      truncated && last?.kind === 'object' ? xmlElement('NextVersionIdMarker', last.info.commitId) : undefined,
      xmlElement('MaxKeys', max),
      delimiter === '' ? undefined : xmlElement('Delimiter', encode(delimiter)),
      encodingType === undefined ? undefined : xmlElement('EncodingType', encodingType),
      xmlElement('IsTruncated', truncated),
      ...entries.flatMap((entry) => (entry.kind === 'object' ? [versionElement(entry, encode)] : [])),
      ...entryElements(
        entries.filter(({ kind }) => kind === 'prefix'),
        listing,
        false,
      ),
    ]);
  },
});

function versionElement({ key, info }: ListEntry & { kind: 'object' }, encode: (text: string) => string): Xml {
  return xmlElement('Version', [
    xmlElement('Key', encode(key)),
    xmlElement('VersionId', info.commitId),
    xmlElement('IsLatest', true),
    xmlElement('LastModified', formatIsoDate(info.lastModifiedMs)),
    xmlElement('ETag', `"${objectEtag(info.hash)}"`),
    xmlElement('Size', info.sizeBytes),
    xmlElement('StorageClass', 'STANDARD'),
    ownerElement(),
  ]);
}
