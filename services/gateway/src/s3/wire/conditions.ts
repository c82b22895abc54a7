import { type EntityTags, matchesEtag, parseEntityTags } from './etag.ts';
import { parseHttpDate } from './http-date.ts';

/** The preconditions of a request, as far as it has them. */
export interface Conditions {
  readonly ifMatch?: EntityTags;
  readonly ifNoneMatch?: EntityTags;
  readonly ifModifiedSinceMs?: number;
  readonly ifUnmodifiedSinceMs?: number;
}

/** What conditions are judged by. */
export interface Validators {
  /** With or without quotes. */
  readonly etag: string;
  /** Left out where it is not known: conditions on it are then ignored, as RFC 9110 has it. */
  readonly lastModifiedMs?: number;
}

const NONE: Conditions = {};

/**
 * The conditions of a request, from its headers; dates that are none are ignored (RFC 9110, 13.1.3 and 13.1.4).
 * `prefix` is `x-amz-copy-source-` for those on the source of a copy.
 */
export function readConditions(get: (name: string) => string | undefined, prefix = ''): Conditions {
  const ifMatch = get(`${prefix}if-match`);
  const ifNoneMatch = get(`${prefix}if-none-match`);
  const ifModifiedSinceMs = dateOf(get(`${prefix}if-modified-since`));
  const ifUnmodifiedSinceMs = dateOf(get(`${prefix}if-unmodified-since`));
  if ((ifMatch ?? ifNoneMatch ?? ifModifiedSinceMs ?? ifUnmodifiedSinceMs) === undefined) return NONE;
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: parseEntityTags(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: parseEntityTags(ifNoneMatch) }),
    ...(ifModifiedSinceMs === undefined ? {} : { ifModifiedSinceMs }),
    ...(ifUnmodifiedSinceMs === undefined ? {} : { ifUnmodifiedSinceMs }),
  };
}

function dateOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseHttpDate(text);
}

export type ReadVerdict = 'proceed' | 'not-modified' | 'precondition-failed';

/**
 * The conditions of a GET or HEAD on an object that exists, in the order of RFC 9110, 13.2.2: the entity tags count before the
 * dates, and a date is looked at only if the tag of the same kind is absent. For the source of a copy both failures are a 412.
 */
export function judgeRead(conditions: Conditions, object: Validators): ReadVerdict {
  const { ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs } = conditions;
  const modifiedMs = wholeSeconds(object.lastModifiedMs);
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, object.etag, 'strong')) {
      return 'precondition-failed';
    }
  } else if (ifUnmodifiedSinceMs !== undefined && modifiedMs !== undefined && modifiedMs > ifUnmodifiedSinceMs) {
    return 'precondition-failed';
  }
  if (ifNoneMatch !== undefined) {
    return matchesEtag(ifNoneMatch, object.etag, 'weak') ? 'not-modified' : 'proceed';
  }
  if (ifModifiedSinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= ifModifiedSinceMs) {
    return 'not-modified';
  }
  return 'proceed';
}

/** Last-Modified goes out in whole seconds, so that is all a client can send back. */
function wholeSeconds(timeMs: number | undefined): number | undefined {
  return timeMs === undefined ? undefined : Math.floor(timeMs / 1000) * 1000;
}
