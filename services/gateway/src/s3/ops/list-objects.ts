import { xmlAnswer } from '../answer.ts';
import { entryElements, lastName, parseListing, searchedPrefix } from '../listing.ts';
import { operation } from '../operation.ts';
import { bucketOf } from '../target.ts';
import { xmlElement } from '../wire/xml.ts';

/** Source: S3 API reference, ListObjects. */
export const listObjects = operation({
  name: 'ListObjects',
  differs:
    'Up to 5000 keys a page when asked; `NextMarker` is there without a delimiter too; a slash in front of the prefix is dropped, but a prefix that is a slash finds nothing.',
  access: 'list',
  parse: (request) => ({
    bucket: bucketOf(request),
    listing: parseListing(request),
    marker: request.query.get('marker') ?? '',
  }),
  async run({ domain, caller, view }, { listing, marker }) {
    const { delimiter, max } = listing;
    if (max === 0) return { entries: [], truncated: false };
    return domain.lists.list(caller, view, { prefix: searchedPrefix(listing), delimiter, after: marker, max });
  },
  encode({ entries, truncated }, { bucket, listing, marker }) {
    const { encode, prefix, delimiter, max, encodingType } = listing;
    return xmlAnswer('ListBucketResult', [
      xmlElement('Name', bucket),
      xmlElement('Prefix', encode(prefix)),
      xmlElement('Marker', encode(marker)),
      // S3 gives it only with a delimiter, since without one the last key says the same; with it every client goes on right.
      truncated ? xmlElement('NextMarker', encode(lastName(entries))) : undefined,
      xmlElement('MaxKeys', max),
      delimiter === '' ? undefined : xmlElement('Delimiter', encode(delimiter)),
      encodingType === undefined ? undefined : xmlElement('EncodingType', encodingType),
      xmlElement('IsTruncated', truncated),
      ...entryElements(entries, listing, true),
    ]);
  },
});
