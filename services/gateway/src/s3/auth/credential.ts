import { S3Error } from '../errors.ts';
import type { HttpHeaders, HttpRequest } from '../http.ts';
import { parseQuery, type Query } from '../wire/encoding.ts';
import { parseHttpDate } from '../wire/http-date.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { parsePayloadHash } from './payload-hash.ts';

export type Credential = AnonymousCredential | SigV4Credential | SigV2Credential;

/** The request carries no signature. */
export interface AnonymousCredential {
  readonly kind: 'anonymous';
}

export interface SigV4Credential {
  readonly kind: 'sigv4';
  readonly where: 'header' | 'query';
  readonly accessKey: string;
  readonly scope: SigningScope;
  /** Lower case, in the order in which they were signed. */
  readonly signedHeaders: readonly string[];
  /** 64 hex digits in lower case. */
  readonly signature: string;
  /** The time of signing as it stands in the string to sign, such as `20130524T000000Z`. */
  readonly amzDate: string;
  readonly timestampMs: number;
  /** Only with `where: 'query'`: for how long from the time of signing it is good. */
  readonly expiresSeconds?: number;
  /** 64 hex digits, UNSIGNED-PAYLOAD or STREAMING-…; `parsePayloadHash` tells which. */
  readonly payloadHash: string;
}

export interface SigningScope {
  /** `yyyymmdd`, the day of signing. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface SigV2Credential {
  readonly kind: 'sigv2';
  readonly where: 'header' | 'query';
  readonly accessKey: string;
  /** Base64. */
  readonly signature: string;
  /** Only with `where: 'query'`: the Expires parameter as sent, in seconds of Unix time. */
  readonly expires?: string;
}

const SKEW_MAX_MS = 15 * 60 * 1000;
const EXPIRES_MAX_SECONDS = 7 * 24 * 60 * 60;

const ALGORITHM = 'AWS4-HMAC-SHA256';
const V4_PARAMETERS =
  'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
const CREDENTIAL_SHAPE = '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"';

/**
 * Who says to have sent a request, and since when: the form of the signature, its age and its lifetime are checked here, but not the
 * signature itself. `nowMs` is the server's clock. Sources: S3 API reference, "Authenticating requests (AWS Signature Version 4)";
 * S3 user guide, "Signing and authenticating REST requests (AWS Signature Version 2)".
 * @throws S3Error AccessDenied, AuthorizationHeaderMalformed, AuthorizationQueryParametersError, InvalidArgument, InvalidRequest,
 *   RequestTimeTooSkewed or UnsupportedSignature, as S3 does.
 */
export function parseCredential(request: Pick<HttpRequest, 'rawQuery' | 'headers'>, nowMs: number): Credential {
  const { headers, rawQuery } = request;
  const authorization = headers.get('authorization');
  const inQuery = /(?:^|&)(?:X-Amz-(?:Algorithm|Credential|Signature)|AWSAccessKeyId|Signature)=/i.test(rawQuery);
  if (authorization === undefined) {
    return inQuery ? parseQueryCredential(parseQuery(rawQuery), headers, nowMs) : { kind: 'anonymous' };
  }
  if (inQuery) {
    throw invalidArgument(
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    );
  }
  if (authorization.startsWith('AWS4-')) {
    return parseV4Header(authorization, headers, nowMs);
  }
  if (authorization.startsWith('AWS ')) {
    return parseV2Header(authorization, headers, nowMs);
  }
  throw invalidArgument('Unsupported Authorization Type');
}

function parseV4Header(authorization: string, headers: HttpHeaders, nowMs: number): SigV4Credential {
  const blank = authorization.indexOf(' ');
  requireAlgorithm(blank === -1 ? authorization : authorization.slice(0, blank), malformedHeader);
  const fields = new Map<string, string>();
  for (const field of blank === -1 ? [] : authorization.slice(blank + 1).split(',')) {
    const equals = field.indexOf('=');
    fields.set(field.slice(0, Math.max(equals, 0)).trim(), field.slice(equals + 1).trim());
  }
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined || value === '') {
      throw malformedHeader(`missing ${name}.`);
    }
    return value;
  };
  const { accessKey, scope } = parseScope(field('Credential'), 'Credential', malformedHeader);
  const signedHeaders = field('SignedHeaders').toLowerCase().split(';');
  const { amzDate, timestampMs } = signingTime(headers);
  if (!amzDate.startsWith(scope.date)) {
    throw malformedHeader(
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`,
    );
  }
  checkSkew(timestampMs, nowMs);
  requireSignedHeaders(signedHeaders, headers);
  const payloadHash = headers.get('x-amz-content-sha256');
  if (payloadHash === undefined) {
    throw new S3Error('InvalidRequest', { message: 'Missing required header for this request: x-amz-content-sha256' });
  }
  parsePayloadHash(payloadHash);
  const signature = field('Signature');
  return {
    kind: 'sigv4',
    where: 'header',
    accessKey,
    scope,
    signedHeaders,
    signature,
    amzDate,
    timestampMs,
    payloadHash,
  };
}

function parseQueryCredential(query: Query, headers: HttpHeaders, nowMs: number): Credential {
  const parameters = new Map(query.entries.map(([name, value]) => [name.toLowerCase(), value]));
  const isV4 = [...parameters.keys()].some((name) => name.startsWith('x-amz-') && name !== 'x-amz-security-token');
  if (isV4 && !parameters.has('awsaccesskeyid')) {
    return parseV4Query((name) => parameters.get(name) ?? '', headers, nowMs);
  }
  return parseV2Query(query, nowMs);
}

function parseV4Query(parameter: (name: string) => string, headers: HttpHeaders, nowMs: number): SigV4Credential {
  const credential = parameter('x-amz-credential');
  const signature = parameter('x-amz-signature');
  const amzDate = parameter('x-amz-date');
  const signed = parameter('x-amz-signedheaders');
  const expires = parameter('x-amz-expires');
  const algorithm = parameter('x-amz-algorithm');
  if ([credential, signature, amzDate, signed, expires, algorithm].includes('')) {
    throw malformedQuery(V4_PARAMETERS);
  }
  requireAlgorithm(algorithm, malformedQuery);
  const { accessKey, scope } = parseScope(credential, 'X-Amz-Credential', malformedQuery);
  const timestampMs = parseAmzDate(amzDate);
  if (timestampMs === undefined) {
    throw malformedQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  if (!amzDate.startsWith(scope.date)) {
    throw malformedQuery(
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`,
    );
  }
  const expiresSeconds = parseExpiresSeconds(expires);
  if (timestampMs > nowMs + SKEW_MAX_MS) {
    throw new S3Error('AccessDenied', { message: 'Request is not yet valid' });
  }
  if (expiresSeconds === 0 || nowMs > timestampMs + expiresSeconds * 1000) {
    throw expired(timestampMs + expiresSeconds * 1000, nowMs);
  }
  const signedHeaders = signed.toLowerCase().split(';');
  requireSignedHeaders(signedHeaders, headers);
  const announced = parameter('x-amz-content-sha256');
  const payloadHash = announced === '' ? (headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD') : announced;
  parsePayloadHash(payloadHash);
  return {
    kind: 'sigv4',
    where: 'query',
    accessKey,
    scope,
    signedHeaders,
    signature,
    amzDate,
    timestampMs,
    expiresSeconds,
    payloadHash,
  };
}

function parseV2Header(authorization: string, headers: HttpHeaders, nowMs: number): SigV2Credential {
  const [, accessKey, signature] = /^AWS +([^ ]+):([^ :]+)$/.exec(authorization) ?? [];
  if (accessKey === undefined || signature === undefined) {
    throw invalidArgument('AWS authorization header is invalid. Expected AwsAccessKeyId:signature');
  }
  checkSkew(signingTime(headers).timestampMs, nowMs);
  return { kind: 'sigv2', where: 'header', accessKey, signature };
}

function parseV2Query(query: Query, nowMs: number): SigV2Credential {
  const accessKey = query.get('AWSAccessKeyId');
  // A plus of the base64 form that was sent without encoding has become a blank.
  const signature = query.get('Signature')?.replaceAll(' ', '+');
  const expires = query.get('Expires');
  if (!accessKey || !signature || !expires) {
    throw new S3Error('AccessDenied', {
      message: 'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    });
  }
  if (!/^[0-9]{1,15}$/.test(expires)) {
    throw new S3Error('AccessDenied', { message: `Invalid date (should be seconds since epoch): ${expires}` });
  }
  if (nowMs > Number(expires) * 1000) {
    throw expired(Number(expires) * 1000, nowMs);
  }
  return { kind: 'sigv2', where: 'query', accessKey, signature, expires };
}

export function requireAlgorithm(algorithm: string, malformed: (message: string) => S3Error): void {
  if (algorithm === 'AWS4-ECDSA-P256-SHA256') {
    throw new S3Error('UnsupportedSignature');
  }
  if (algorithm !== ALGORITHM) {
    throw malformed(`the only algorithm is "${ALGORITHM}".`);
  }
}

/** From the right, since an access key may have a slash in it. */
export function parseScope(
  credential: string,
  field: string,
  malformed: (message: string) => S3Error,
): { accessKey: string; scope: SigningScope } {
  const [, accessKey, date, region, service, terminator] =
    /^(.+)\/([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)$/.exec(credential) ?? [];
  if (accessKey === undefined || date === undefined || region === undefined || service === undefined) {
    throw malformed(`the ${field} is mal-formed; expecting ${CREDENTIAL_SHAPE}.`);
  }
  if (!/^[0-9]{8}$/.test(date)) {
    throw malformed(`incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`);
  }
  if (service !== 's3') {
    throw malformed(`incorrect service "${service}". This endpoint belongs to "s3".`);
  }
  if (terminator !== 'aws4_request') {
    throw malformed(`incorrect terminal "${terminator}". This endpoint uses "aws4_request".`);
  }
  return { accessKey, scope: { date, region, service } };
}

/** x-amz-date comes before Date; either may be in either form. */
function signingTime(headers: HttpHeaders): { amzDate: string; timestampMs: number } {
  const sent = headers.get('x-amz-date') ?? headers.get('date') ?? '';
  const basicMs = parseAmzDate(sent);
  if (basicMs !== undefined) {
    return { amzDate: sent, timestampMs: basicMs };
  }
  const timestampMs = parseHttpDate(sent);
  if (timestampMs === undefined || timestampMs < 0) {
    throw new S3Error('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' });
  }
  return { amzDate: formatAmzDate(timestampMs), timestampMs };
}

export function parseAmzDate(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] =
    /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/.exec(text) ?? [];
  const timeMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // Date.UTC takes 31 February for 3 March: such a date is none.
  return Number.isNaN(timeMs) || formatAmzDate(timeMs) !== text ? undefined : timeMs;
}

function formatAmzDate(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function parseExpiresSeconds(text: string): number {
  if (!/^-?[0-9]{1,15}$/.test(text)) {
    throw malformedQuery('X-Amz-Expires should be a number');
  }
  const seconds = Number(text);
  // Zero is no mistake: such a request has expired when it is sent.
  if (seconds < 0) {
    throw malformedQuery('X-Amz-Expires must be non-negative');
  }
  if (seconds > EXPIRES_MAX_SECONDS) {
    throw malformedQuery(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${EXPIRES_MAX_SECONDS} seconds`,
    );
  }
  return seconds;
}

function checkSkew(timestampMs: number, nowMs: number): void {
  if (Math.abs(nowMs - timestampMs) > SKEW_MAX_MS) {
    throw new S3Error('RequestTimeTooSkewed', {
      elements: [
        ['RequestTime', formatIsoDate(timestampMs)],
        ['ServerTime', formatIsoDate(nowMs)],
        ['MaxAllowedSkewMilliseconds', String(SKEW_MAX_MS)],
      ],
    });
  }
}

/** An x-amz-* header that is not signed could have been added or changed by anyone on the way. */
function requireSignedHeaders(signedHeaders: readonly string[], headers: HttpHeaders): void {
  const unsigned: string[] = [];
  for (const [name] of headers.entries()) {
    if ((name === 'host' || name.startsWith('x-amz-')) && !signedHeaders.includes(name)) {
      unsigned.push(name);
    }
  }
  if (unsigned.length > 0) {
    throw new S3Error('AccessDenied', {
      message: 'There were headers present in the request which were not signed',
      elements: [['HeadersNotSigned', unsigned.join(', ')]],
    });
  }
}

function expired(expiresMs: number, nowMs: number): S3Error {
  return new S3Error('AccessDenied', {
    message: 'Request has expired',
    elements: [
      ['Expires', formatIsoDate(expiresMs)],
      ['ServerTime', formatIsoDate(nowMs)],
    ],
  });
}

function malformedHeader(message: string): S3Error {
  return new S3Error('AuthorizationHeaderMalformed', { message: `The authorization header is malformed; ${message}` });
}

function malformedQuery(message: string): S3Error {
  return new S3Error('AuthorizationQueryParametersError', { message });
}

function invalidArgument(message: string): S3Error {
  return new S3Error('InvalidArgument', { message });
}
