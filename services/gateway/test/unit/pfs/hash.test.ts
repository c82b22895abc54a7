import { describe, expect, it } from 'vitest';
import { objectEtag } from '../../../src/pfs/etag.ts';
import { HASHABLE_MAX_BYTES, pfsHash } from '../../../src/pfs/hash.ts';

/** What a real pachd answered for these bytes. */
const RECORDED: readonly (readonly [content: string, hash: string])[] = [
  ['', '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8'],
  ['hello world', 'a670a7a2d03dc28a2b3dbb1ac749830aedea99b569177f02c3009ddfc6a058c5'],
  ['hello again', '2136b070b1474bba6acea95be9575298f8bf39c2eb6247b8bdd6f5333232741c'],
];

describe("a small file's hash", () => {
  it.each(RECORDED)('of %j is the one that pachd gives', (content, hash) => {
    expect(Buffer.from(pfsHash(Buffer.from(content))).toString('hex')).toBe(hash);
  });

  it('makes an ETag that no client takes for an MD5', () => {
    expect(objectEtag(Buffer.from(RECORDED[1]![1], 'hex'))).toBe('a670a7a2d03dc28a2b3dbb1ac749830a-1');
  });

  it('is not guessed for what pachd may cut into chunks', () => {
    expect(() => pfsHash(new Uint8Array(HASHABLE_MAX_BYTES + 1))).toThrowError(RangeError);
  });
});
