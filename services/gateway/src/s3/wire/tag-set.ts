import { S3Error } from '../errors.ts';
import { childrenNamed, requireChildText, type XmlNode } from './xml-read.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

const KEY_MAX_CHARACTERS = 128;
const VALUE_MAX_CHARACTERS = 256;
/** Letters, digits and blanks of any language, and a few signs. Source: S3 user guide, "Categorizing your objects using tags". */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * The tags of a document. Source: S3 API reference, PutObjectTagging and PutBucketTagging.
 * @throws S3Error MalformedXML, BadRequest for too many, InvalidTag for one that cannot be
 */
export function parseTagSet(document: XmlNode | undefined, what: 'Object' | 'Bucket'): readonly Tag[] {
  const sets = document?.name === 'Tagging' ? childrenNamed(document, 'TagSet') : [];
  const [set] = sets;
  if (set === undefined || sets.length !== 1) throw new S3Error('MalformedXML');
  return tagsOf(set, what);
}

/** The tags in an element. @throws S3Error as `parseTagSet` */
export function tagsOf(list: XmlNode, what: 'Object' | 'Bucket'): readonly Tag[] {
  const tags = childrenNamed(list, 'Tag').map((tag) => ({
    key: requireChildText(tag, 'Key'),
    value: requireChildText(tag, 'Value'),
  }));
  const max = what === 'Object' ? 10 : 50;
  if (tags.length > max) throw new S3Error('BadRequest', { message: `${what} tags cannot be greater than ${max}` });
  for (const tag of tags) checkTag(tag);
  if (new Set(tags.map(({ key }) => key)).size < tags.length) {
    throw invalid('Cannot provide multiple Tags with the same key');
  }
  return tags;
}

function checkTag({ key, value }: Tag): void {
  if (key === '' || [...key].length > KEY_MAX_CHARACTERS || !TAG_TEXT.test(key)) {
    throw invalid('The TagKey you have provided is invalid');
  }
  if ([...value].length > VALUE_MAX_CHARACTERS || !TAG_TEXT.test(value)) {
    throw invalid('The TagValue you have provided is invalid');
  }
  if (key.toLowerCase().startsWith('aws:')) throw invalid('System tags cannot be added/updated by requester');
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidTag', { message });
}

/** As tags are kept: JSON, a pair for each. */
export function tagText(tags: readonly Tag[]): string {
  return JSON.stringify(tags.map(({ key, value }) => [key, value]));
}

/** None if nothing is kept, or if it is not what `tagText` makes: others may write to the metadata of a branch too. */
export function readTagText(text: string | undefined): readonly Tag[] {
  const pairs = text === undefined ? [] : parseJson(text);
  if (!Array.isArray(pairs) || !pairs.every(isPair)) return [];
  return pairs.map(([key, value]) => ({ key, value }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
