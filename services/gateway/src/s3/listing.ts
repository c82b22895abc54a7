import { objectEtag } from '../pfs/etag.ts';
import type { ListEntry } from '../pfs/list.ts';
import { S3Error } from './errors.ts';
import { ownerElement } from './owner.ts';
import type { S3Request } from './request.ts';
import { encodeKey } from './wire/encoding.ts';
import { formatIsoDate } from './wire/iso-date.ts';
import { parseCount } from './wire/number.ts';
import { type Xml, xmlElement } from './wire/xml.ts';

const KEYS_DEFAULT = 1_000;
/** S3 gives at most 1,000; the clients of Pachyderm's own gateway are used to this. What is asked beyond it is cut to it. */
const KEYS_MAX = 5_000;

/** What both versions of ListObjects have in common. */
export interface Listing {
  /** As the client sent them: they are said back to it. */
  readonly prefix: string;
  readonly delimiter: string;
  readonly max: number;
  readonly encode: (text: string) => string;
  readonly encodingType: 'url' | undefined;
}

/** @throws S3Error InvalidArgument */
export function parseListing({ query }: S3Request): Listing {
  const encodingType = query.get('encoding-type');
  if (encodingType !== undefined && encodingType !== 'url') {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid Encoding Method specified in Request',
      elements: [
        ['ArgumentName', 'encoding-type'],
        ['ArgumentValue', encodingType],
      ],
    });
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    max: Math.min(KEYS_MAX, parseCount('max-keys', query.get('max-keys'), KEYS_DEFAULT)),
    encode: encodingType === 'url' ? encodeKey : (text) => text,
    encodingType,
  };
}

/**
 * A slash in front of the prefix is dropped, as in Pachyderm's own gateway: no key begins with one. One that stands alone is not, or who
 * deletes what is listed below it would delete everything.
 */
export function searchedPrefix({ prefix }: Listing): string {
  return prefix.startsWith('/') && prefix !== '/' ? prefix.slice(1) : prefix;
}

export function entryElements(entries: readonly ListEntry[], { encode }: Listing, owner: boolean): readonly Xml[] {
  return [
    ...entries.flatMap((entry) => (entry.kind === 'object' ? [contentsElement(entry, encode, owner)] : [])),
    ...entries.flatMap((entry) =>
      entry.kind === 'prefix' ? [xmlElement('CommonPrefixes', [xmlElement('Prefix', encode(entry.prefix))])] : [],
    ),
  ];
}

export function lastName(entries: readonly ListEntry[]): string {
  const last = entries.at(-1);
  return last === undefined ? '' : last.kind === 'object' ? last.key : last.prefix;
}

function contentsElement(
  { key, info }: ListEntry & { kind: 'object' },
  encode: Listing['encode'],
  owner: boolean,
): Xml {
  return xmlElement('Contents', [
    xmlElement('Key', encode(key)),
    xmlElement('LastModified', formatIsoDate(info.lastModifiedMs)),
    xmlElement('ETag', `"${objectEtag(info.hash)}"`),
    xmlElement('Size', info.sizeBytes),
    xmlElement('StorageClass', 'STANDARD'),
    owner ? ownerElement() : undefined,
  ]);
}
