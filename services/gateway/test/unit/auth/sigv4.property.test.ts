import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCredential } from '../../../src/s3/auth/credential.ts';
import { verifySigV4 } from '../../../src/s3/auth/sigv4.ts';
import { EXAMPLE_KEY, EXAMPLE_SECRET, requestOf, v4 } from './requests.ts';

/** What the signer wants for a hash. */
class Sha256 {
  private readonly hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', typeof secret === 'string' ? secret : Buffer.from(secret as Uint8Array));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(typeof data === 'string' ? data : Buffer.from(data as Uint8Array));
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }

  reset(): void {
    throw new Error('not used');
  }
}

const signer = new SignatureV4({
  credentials: { accessKeyId: EXAMPLE_KEY, secretAccessKey: EXAMPLE_SECRET },
  region: 'eu-central-1',
  service: 's3',
  sha256: Sha256,
  uriEscapePath: false,
});

const NOW = new Date('2026-02-28T23:59:58Z');

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const word = fc.string({ unit: 'grapheme', maxLength: 12 });
const key = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const query = fc.dictionary(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => !/^x-amz-/i.test(name)),
  fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
  { maxKeys: 5, noNullPrototype: true },
);
const headerValue = fc.string({ unit: fc.constantFrom(...'ab,;= \t"/'), maxLength: 12 });
const headers = fc.dictionary(
  fc.string({ unit: fc.constantFrom(...'abcxyz-'), minLength: 1, maxLength: 6 }).map((name) => `x-amz-meta-${name}`),
  headerValue,
  { maxKeys: 4, noNullPrototype: true },
);
const method = fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE', 'POST');

const parts = fc.record({ method, key, query, headers });

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string | string[] | null>;
  readonly headers: Record<string, string>;
}

/** Headers as they come out of the parser. */
function trimmed(fields: Record<string, string>): (readonly [string, string])[] {
  return Object.entries(fields).map(([name, value]) => [name, value.trim()]);
}

/** A query as a client sends it; each character in one of the ways it may be sent in. */
function sentQuery(query: Sent['query'], encodeOne: (text: string) => string): string {
  return Object.entries(query ?? {})
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value ?? '']).map((each) => `${encodeOne(name)}=${encodeOne(each)}`),
    )
    .join('&');
}

/** Everything encoded, in lower case, blanks in a query as plus. */
function encodeOddly(text: string): string {
  return Buffer.from(text)
    .toString('hex')
    .replace(/../g, (hex) => (hex === '20' ? '+' : `%${hex}`));
}

describe('what the AWS SDK for JavaScript signs', () => {
  it('verifies, with the signature in a header', async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (generated) => {
        const path = `/${generated.key.split('/').map(encode).join('/')}`;
        const signed = (await signer.sign(
          {
            method: generated.method,
            protocol: 'https:',
            hostname: 'here:30600',
            path,
            query: generated.query,
            headers: { host: 'here:30600', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...generated.headers },
          },
          { signingDate: NOW },
        )) as Sent;
        for (const target of [
          `${path}?${sentQuery(signed.query, encode)}`,
          `/${generated.key
            .split('/')
            .map((part) => encodeOddly(part).replaceAll('+', '%20'))
            .join('/')}?${sentQuery(signed.query, encodeOddly)}`,
        ]) {
          const request = requestOf(generated.method, target, trimmed(signed.headers));
          const credential = v4(parseCredential(request, NOW.getTime()));
          expect(credential.scope).toEqual({ date: '20260228', region: 'eu-central-1', service: 's3' });
          expect(verifySigV4(credential, request, EXAMPLE_SECRET)).toBe(true);
          expect(verifySigV4(credential, { ...request, rawPath: `${request.rawPath}/` }, EXAMPLE_SECRET)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('verifies, with the signature in the query', async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 604_800 }), async (generated, expiresIn) => {
        const path = `/${generated.key.split('/').map(encode).join('/')}`;
        const signed = (await signer.presign(
          {
            method: generated.method,
            protocol: 'https:',
            hostname: 'here',
            path,
            query: generated.query,
            headers: { host: 'here', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...generated.headers },
          },
          { signingDate: NOW, expiresIn, unhoistableHeaders: new Set(Object.keys(generated.headers)) },
        )) as Sent;
        const request = requestOf(
          generated.method,
          `${path}?${sentQuery(signed.query, encode)}`,
          trimmed(signed.headers),
        );
        const credential = v4(parseCredential(request, NOW.getTime() + expiresIn * 1000));
        expect(credential).toMatchObject({ where: 'query', accessKey: EXAMPLE_KEY, expiresSeconds: expiresIn });
        expect(verifySigV4(credential, request, EXAMPLE_SECRET)).toBe(true);
        expect(verifySigV4(credential, { ...request, rawQuery: `${request.rawQuery}&z` }, EXAMPLE_SECRET)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
