import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { entryElements, lastName, parseListing, searchedPrefix } from '../listing.ts';
import { operation } from '../operation.ts';
import { bucketOf } from '../target.ts';
import { xmlElement } from '../wire/xml.ts';

/** Source: S3 API reference, ListObjectsV2. */
export const listObjectsV2 = operation({
  name: 'ListObjectsV2',
  differs:
    'Up to 5000 keys a page when asked; a slash in front of the prefix is dropped, but a prefix that is a slash finds nothing.',
  access: 'list',
  parse(request) {
    const token = request.query.get('continuation-token');
    return {
      bucket: bucketOf(request),
      listing: parseListing(request),
      token,
      startAfter: request.query.get('start-after') ?? '',
      after: token === undefined || token === '' ? undefined : readToken(token),
      owner: request.query.get('fetch-owner') === 'true',
    };
  },
  async run({ domain, caller, view }, { listing, after, startAfter }) {
    const { delimiter, max } = listing;
    if (max === 0) return { entries: [], truncated: false };
    return domain.lists.list(caller, view, {
      prefix: searchedPrefix(listing),
      delimiter,
      after: after ?? startAfter,
      max,
    });
  },
  encode({ entries, truncated }, { bucket, listing, token, startAfter, owner }) {
    const { encode, prefix, delimiter, max, encodingType } = listing;
    return xmlAnswer('ListBucketResult', [
      xmlElement('Name', bucket),
      xmlElement('Prefix', encode(prefix)),
      startAfter === '' ? undefined : xmlElement('StartAfter', encode(startAfter)),
      token === undefined ? undefined : xmlElement('ContinuationToken', token),
      truncated ? xmlElement('NextContinuationToken', writeToken(lastName(entries))) : undefined,
      xmlElement('KeyCount', entries.length),
      xmlElement('MaxKeys', max),
      delimiter === '' ? undefined : xmlElement('Delimiter', encode(delimiter)),
      encodingType === undefined ? undefined : xmlElement('EncodingType', encodingType),
      xmlElement('IsTruncated', truncated),
      ...entryElements(entries, listing, owner),
    ]);
  },
});

/** A token is opaque to clients: what it means may change, but not from one page to the next. */
const TOKEN_PREFIX = '1.';

function writeToken(last: string): string {
  return TOKEN_PREFIX + Buffer.from(last).toString('base64url');
}

function readToken(token: string): string {
  if (!/^1\.[A-Za-z0-9_-]+$/.test(token)) {
    throw new S3Error('InvalidArgument', {
      message: 'The continuation token provided is incorrect',
      elements: [['ArgumentName', 'continuation-token']],
    });
  }
  return Buffer.from(token.slice(TOKEN_PREFIX.length), 'base64url').toString();
}
