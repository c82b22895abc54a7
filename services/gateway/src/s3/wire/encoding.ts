import { S3Error } from '../errors.ts';

/** More parameters than any S3 request has; the rest of the work on a query is bounded by the size of the header block. */
const PARAMETERS_MAX = 128;

/**
 * A key as `encoding-type=url` gives it (S3 API reference, ListObjectsV2): letters, digits and `-._*` stay, so does the slash;
 * a blank becomes `+`; every other byte of the UTF-8 form is percent-encoded. A surrogate without its other half becomes U+FFFD.
 */
export function encodeKey(key: string): string {
  if (/^[A-Za-z0-9\-._*/]*$/.test(key)) {
    return key;
  }
  return encodeURIComponent(key.replace(/\p{Cs}/gu, '\ufffd'))
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * A path, percent-decoded; `+` stays what it is.
 * @throws S3Error InvalidURI if it is not percent-encoded UTF-8.
 */
export function decodePath(rawPath: string): string {
  return decodePercent(rawPath);
}

/** The parameters of a query, decoded, in the order sent. */
export interface Query {
  readonly entries: readonly (readonly [name: string, value: string])[];
  /** The first value, '' for a name without `=`, undefined if the name is not there. */
  get(name: string): string | undefined;
  has(name: string): boolean;
}

const EMPTY: Query = queryOf([]);

/**
 * A raw query, without its question mark. A `+` is a blank, as S3 takes it; parameters without a name are left out.
 * @throws S3Error InvalidURI if it is not percent-encoded UTF-8; InvalidArgument for more than 128 parameters.
 */
export function parseQuery(rawQuery: string): Query {
  if (rawQuery === '') {
    return EMPTY;
  }
  const entries: (readonly [string, string])[] = [];
  for (const item of rawQuery.split('&', PARAMETERS_MAX + 1)) {
    const equals = item.indexOf('=');
    const name = decodeParameter(equals === -1 ? item : item.slice(0, equals));
    if (name !== '') {
      entries.push([name, equals === -1 ? '' : decodeParameter(item.slice(equals + 1))]);
    }
  }
  if (entries.length > PARAMETERS_MAX) {
    throw new S3Error('InvalidArgument', { message: `A request has at most ${PARAMETERS_MAX} query parameters.` });
  }
  return queryOf(entries);
}

function queryOf(entries: readonly (readonly [string, string])[]): Query {
  const find = (name: string) => entries.find((entry) => entry[0] === name);
  return { entries, get: (name) => find(name)?.[1], has: (name) => find(name) !== undefined };
}

function decodeParameter(text: string): string {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

function decodePercent(text: string): string {
  if (!text.includes('%')) {
    return text;
  }
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new S3Error('InvalidURI', { cause });
  }
}
