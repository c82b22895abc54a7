import { S3Error } from './errors.ts';
import type { HttpRequest } from './http.ts';
import { decodePath, parseQuery, type Query } from './wire/encoding.ts';
import type { Form } from './wire/form-data.ts';

/** A request as S3 means it: whom it is for, apart from what it wants. */
export interface S3Request {
  readonly http: HttpRequest;
  readonly query: Query;
  readonly target: Target;
  /** How the client speaks to the gateway. */
  readonly scheme: Scheme;
  /** Only of a POST upload, which says in its form what other requests say in their headers. */
  readonly form?: Form;
}

export type Scheme = 'http' | 'https';

/** `hosted`: the bucket is named by the host, not by the path. */
export type Target =
  | { readonly scope: 'service' }
  | { readonly scope: 'bucket'; readonly bucket: string; readonly hosted: boolean }
  | { readonly scope: 'object'; readonly bucket: string; readonly key: string; readonly hosted: boolean };

/** AWS takes 8 KB of headers and 2 KB of user metadata on top. Source: S3 API reference, "RequestHeaderSectionTooLarge". */
const HEADERS_MAX_BYTES = 16 << 10;

/**
 * Finds the bucket and the key, in the path or, for a host below one of the domains, the bucket in the host name
 * (S3 user guide, "Virtual hosting of general purpose buckets").
 * @throws S3Error InvalidURI, RequestHeaderSectionTooLarge
 */
export function parseRequest(http: HttpRequest, domains: readonly string[], scheme: Scheme): S3Request {
  if (http.headers.sizeBytes > HEADERS_MAX_BYTES) throw new S3Error('RequestHeaderSectionTooLarge');
  return { http, query: parseQuery(http.rawQuery), target: parseTarget(http, domains), scheme };
}

function parseTarget(http: HttpRequest, domains: readonly string[]): Target {
  const path = decodePath(http.rawPath).slice(1);
  const hosted = hostedBucket(http.headers.get('host'), domains);
  if (hosted !== undefined) {
    return path === ''
      ? { scope: 'bucket', bucket: hosted, hosted: true }
      : { scope: 'object', bucket: hosted, key: path, hosted: true };
  }
  if (path === '') return { scope: 'service' };
  const slash = path.indexOf('/');
  if (slash === -1 || slash === path.length - 1) {
    return { scope: 'bucket', bucket: slash === -1 ? path : path.slice(0, slash), hosted: false };
  }
  return { scope: 'object', bucket: path.slice(0, slash), key: path.slice(slash + 1), hosted: false };
}

function hostedBucket(host: string | undefined, domains: readonly string[]): string | undefined {
  if (host === undefined || domains.length === 0) return undefined;
  const name = host.replace(/:\d+$/, '');
  const lower = name.toLowerCase();
  const domain = domains.find((candidate) => lower.endsWith(`.${candidate}`));
  // The case of a bucket's name counts, that of the domain does not.
  return domain === undefined ? undefined : name.slice(0, -domain.length - 1);
}
