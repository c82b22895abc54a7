import type { HttpHeaders } from '../s3/http.ts';
import type { UwsRequest } from './uws.ts';

/** What is read off uWebSockets' request, which is gone when its callback returns. */
export interface RequestHead {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: HttpHeaders;
}

export function readHead(req: UwsRequest): RequestHead {
  return {
    method: req.getCaseSensitiveMethod(),
    rawPath: req.getUrl(),
    rawQuery: req.getQuery() ?? '',
    headers: new Headers(req),
  };
}

/** Name, colon, blank, value, CR and LF. */
const FIELD_OVERHEAD_BYTES = 4;

const NONE: readonly string[] = [];

class Headers implements HttpHeaders {
  readonly #entries: (readonly [string, string])[] = [];
  readonly #first = new Map<string, string>();
  readonly sizeBytes: number;

  constructor(req: UwsRequest) {
    let sizeBytes = 0;
    req.forEach((name, value) => {
      this.#entries.push([name, value]);
      if (!this.#first.has(name)) this.#first.set(name, value);
      sizeBytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    });
    this.sizeBytes = sizeBytes;
  }

  get(name: string): string | undefined {
    return this.#first.get(name);
  }

  all(name: string): readonly string[] {
    const value = this.#first.get(name);
    if (value === undefined) return NONE;
    if (this.#first.size === this.#entries.length) return [value];
    return this.#entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }

  entries(): readonly (readonly [string, string])[] {
    return this.#entries;
  }
}

/** How a body is framed: by its length in bytes (0 if there is none) or in chunks; `invalid` if the headers do not say for sure. */
export type BodyFraming =
  | { readonly kind: 'length'; readonly lengthBytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'invalid' };

const NO_BODY: BodyFraming = { kind: 'length', lengthBytes: 0 };

/**
 * uWebSockets takes any Transfer-Encoding for `chunked`, and the first of several lengths. A proxy in front may take them otherwise
 * and see other requests on the connection than we do (RFC 9112, 6.3 and 11.2), so what is not plain is refused.
 */
export function bodyFraming(headers: HttpHeaders): BodyFraming {
  const codings = headers.all('transfer-encoding');
  const lengths = headers.all('content-length');
  const [length] = lengths;
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked' && length === undefined;
    return { kind: isChunked ? 'chunked' : 'invalid' };
  }
  if (length === undefined) {
    return NO_BODY;
  }
  const isPlain = /^[0-9]{1,15}$/.test(length) && lengths.every((other) => other === length);
  return isPlain ? { kind: 'length', lengthBytes: Number(length) } : { kind: 'invalid' };
}
