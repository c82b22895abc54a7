/** An entity tag without its quotes. */
interface EntityTag {
  readonly weak: boolean;
  readonly value: string;
}

export type EntityTags = { readonly kind: 'any' } | { readonly kind: 'list'; readonly tags: readonly EntityTag[] };

/**
 * The value of If-Match or If-None-Match (RFC 9110, 13.1.1 and 13.1.2). A tag without quotes is taken as if it had them,
 * since many S3 clients send it so.
 */
export function parseEntityTags(header: string): EntityTags {
  if (header.trim() === '*') {
    return { kind: 'any' };
  }
  const tags: EntityTag[] = [];
  for (const match of header.matchAll(/(W\/)?(?:"([^"]*)"|([^",\s]+))/g)) {
    tags.push({ weak: match[1] !== undefined, value: match[2] ?? match[3] ?? '' });
  }
  return { kind: 'list', tags };
}

/**
 * Whether one of the tags is the entity tag `etag`, which may be with or without quotes.
 * Strong comparison never matches a weak tag (RFC 9110, 8.8.3.2).
 */
export function matchesEtag(tags: EntityTags, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (tags.kind === 'any') {
    return true;
  }
  const value = unquoteEtag(etag);
  return tags.tags.some((tag) => tag.value === value && (comparison === 'weak' || !tag.weak));
}

/** An ETag as XML bodies such as CompleteMultipartUpload have it: quotes are optional there. */
export function unquoteEtag(etag: string): string {
  return etag.length >= 2 && etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag;
}
