import type { Credential, SigV4Credential } from '../../../src/s3/auth/credential.ts';
import type { HttpBody, HttpHeaders, HttpRequest } from '../../../src/s3/http.ts';

/** Headers as the edge makes them. */
export function headersOf(fields: readonly (readonly [string, string])[]): HttpHeaders {
  const entries = fields.map(([name, value]) => [name.toLowerCase(), value] as const);
  const all = (name: string) => entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  return {
    entries: () => entries,
    all,
    get: (name) => all(name)[0],
    sizeBytes: entries.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0),
  };
}

export type SignedParts = Pick<HttpRequest, 'method' | 'rawPath' | 'rawQuery' | 'headers'>;

/** `PATH?QUERY`, split at the first question mark. */
export function requestOf(
  method: string,
  target: string,
  fields: readonly (readonly [string, string])[] | Readonly<Record<string, string>>,
): SignedParts {
  const mark = target.indexOf('?');
  return {
    method,
    rawPath: mark === -1 ? target : target.slice(0, mark),
    rawQuery: mark === -1 ? '' : target.slice(mark + 1),
    headers: headersOf(Array.isArray(fields) ? fields : Object.entries(fields)),
  };
}

/** A body in pieces of at most `pieceBytes`. */
export function bodyOf(
  bytes: Uint8Array,
  pieceBytes = 65_536,
  lengthBytes: number | undefined = bytes.length,
): HttpBody {
  return {
    lengthBytes,
    async *[Symbol.asyncIterator]() {
      for (let start = 0; start < bytes.length; start += pieceBytes) {
        yield bytes.subarray(start, start + pieceBytes);
      }
    },
  };
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The access key and the secret key of the examples in AWS' documentation. */
export const EXAMPLE_KEY = 'AKIAIOSFODNN7EXAMPLE';
export const EXAMPLE_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export function v4(credential: Credential): SigV4Credential {
  if (credential.kind !== 'sigv4') {
    throw new Error(`expected a V4 signature, not ${credential.kind}`);
  }
  return credential;
}
