/**
 * The ETag of an object: 32 hex digits of its PFS hash, and a dash, so that no client takes it for an MD5 of the content.
 * The same in every answer. Without quotes.
 */
export function objectEtag(hash: Uint8Array): string {
  return `${Buffer.from(hash.buffer, hash.byteOffset, 16).toString('hex')}-1`;
}
