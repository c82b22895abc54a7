import type { HeaderField } from './answer.ts';
import { S3Error } from './errors.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';

/** What pages of other origins may do. Source: S3 user guide, "Using cross-origin resource sharing (CORS)". */
export interface Cors {
  /** With every answer, errors too: whether the page that asked may see it. None for a request of no page, or of one that may not. */
  fieldsFor(request: HttpRequest): readonly HeaderField[];
  /**
   * Answers the question that a browser asks before it sends what a form could not. It carries no credentials.
   * @throws S3Error BadRequest for what is no such question, AccessForbidden
   */
  preflight(request: HttpRequest): HttpAnswer;
}

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'];

/** What scripts may read besides the few that they always may. */
const EXPOSED = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Length',
  'Content-Range',
  'Date',
  'ETag',
  'Location',
  'Retry-After',
  'x-amz-bucket-region',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-type',
  'x-amz-copy-source-version-id',
  'x-amz-id-2',
  'x-amz-request-id',
  'x-amz-version-id',
].join(', ');

/** For so long a browser does not ask again. */
const MAX_AGE_SECONDS = '3600';

const VARY: HeaderField = ['Vary', 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'];

/** `origins`: as in TUSK_CORS_ORIGINS; all methods and all headers are open to each. */
export function createCors(origins: readonly string[]): Cors {
  const anybody = origins.includes('*');
  const patterns = origins.map(patternOf);
  const isAllowed = (origin: string) => patterns.some((pattern) => pattern.test(origin));

  /** With `*` no browser sends cookies, and the answer is the same for all. */
  const originFields = (origin: string): readonly HeaderField[] =>
    anybody
      ? [['Access-Control-Allow-Origin', '*']]
      : [
          ['Access-Control-Allow-Origin', origin],
          ['Access-Control-Allow-Credentials', 'true'],
        ];

  return {
    fieldsFor({ method, headers }) {
      if (origins.length === 0) return [];
      const origin = headers.get('origin');
      // A cache must not give the answer for one page to another.
      if (origin === undefined || method === 'OPTIONS') return [VARY];
      if (!isAllowed(origin)) return [VARY];
      return [
        ...originFields(origin),
        ['Access-Control-Allow-Methods', METHODS.join(', ')],
        ['Access-Control-Expose-Headers', EXPOSED],
        VARY,
      ];
    },

    preflight({ headers }) {
      const origin = headers.get('origin');
      if (origin === undefined)
        throw new S3Error('BadRequest', { message: 'Insufficient information. Origin request header needed.' });
      const method = headers.get('access-control-request-method');
      if (method === undefined || !METHODS.includes(method)) {
        throw new S3Error('BadRequest', { message: `Invalid Access-Control-Request-Method: ${method ?? 'null'}` });
      }
      if (origins.length === 0) throw new S3Error('AccessForbidden', { elements: [['Method', method]] });
      if (!isAllowed(origin)) {
        throw new S3Error('AccessForbidden', {
          message: 'CORSResponse: This CORS request is not allowed. The origin is none of those that may ask.',
          elements: [['Method', method]],
        });
      }
      const asked = headers.get('access-control-request-headers');
      return {
        status: 200,
        headers: [
          ...originFields(origin),
          ['Access-Control-Allow-Methods', METHODS.join(', ')],
          ...(asked === undefined ? [] : [['Access-Control-Allow-Headers', asked] as const]),
          ['Access-Control-Expose-Headers', EXPOSED],
          ['Access-Control-Max-Age', MAX_AGE_SECONDS],
        ],
        body: { kind: 'empty' },
      };
    },
  };
}

function patternOf(origin: string): RegExp {
  const parts = origin.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
