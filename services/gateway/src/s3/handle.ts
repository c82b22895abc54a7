import { randomBytes } from 'node:crypto';
import { parseBucketName } from '../pfs/bucket.ts';
import type { Domain } from '../pfs/domain.ts';
import { type Account, openAccount } from '../telemetry/account.ts';
import type { Observer } from '../telemetry/outcome.ts';
import { inSpan, startRequest } from '../telemetry/trace.ts';
import { errorAnswer, type HeaderField } from './answer.ts';
import { authenticate } from './authenticate.ts';
import { requestBody } from './body.ts';
import type { Cors } from './cors.ts';
import { S3Error } from './errors.ts';
import { toS3Error } from './failure.ts';
import type { Handle, HttpAnswer, HttpRequest } from './http.ts';
import { keepAlive } from './keep-alive.ts';
import type { Operation } from './operation.ts';
import { refuseBrokenPromises } from './promises.ts';
import { parseRequest, type S3Request, type Scheme } from './request.ts';
import { routeOf } from './routes.ts';
import { bucketOf } from './target.ts';
import { readForm } from './wire/form-data.ts';

const SENT_ID = /^[\x21-\x7e]{1,128}$/;

export interface HandleOptions {
  readonly domain: Domain;
  /** Told what became of each request. */
  readonly observers: readonly Observer[];
  readonly domains: readonly string[];
  readonly scheme: Scheme;
  readonly cors: Cors;
  /** The region that signatures must name; empty: any. */
  readonly region: string;
  /** Whether the worker has all that it can carry: then a request is told so at once, and nothing is begun for it. */
  readonly isOverloaded: () => boolean;
}

/**
 * The life of a request: route -> authenticate -> parse -> authorise -> run -> encode -> account. Every operation goes this
 * way, and every outcome is accounted for here; nothing that happens on the way is thrown to the edge.
 */
export function createHandle(options: HandleOptions): Handle {
  const { domain, observers, domains, scheme, cors, region, isOverloaded } = options;
  const nextId = createRequestIds();

  return async (http) => {
    const requestId = nextId();
    const { method, rawPath, body } = http;
    const span = startRequest(http, scheme);
    const begun = { requestId, sentId: sentIdOf(http), method, rawPath, bytesIn: body.lengthBytes ?? 0 };
    const account = openAccount(begun, span, observers);
    const answer = await span.run(() => answerTo(http, account, requestId));
    return account.settle(withCommon(answer, requestId, cors.fieldsFor(http)), () => http.signal.aborted);
  };

  async function answerTo(http: HttpRequest, account: Account, requestId: string): Promise<HttpAnswer> {
    const told = (thrown: unknown): HttpAnswer => {
      const error = http.signal.aborted ? new S3Error('ClientDisconnected') : toS3Error(thrown);
      account.failed(error.code, error.cause);
      return errorAnswer(error, http.method, http.rawPath, requestId);
    };
    try {
      if (isOverloaded()) throw new S3Error('SlowDown', { headers: [['Retry-After', '1']] });
      if (http.method === 'OPTIONS') {
        account.operation = 'Preflight';
        return cors.preflight(http);
      }
      const request = parseRequest(http, domains, scheme);
      if (request.target.scope !== 'service') account.target = request.target;
      const operation = routeOf(request);
      account.operation = operation.name;
      const serving = serve(request, operation);
      return await (operation.lasts === 'long' ? keepAlive(serving, told) : serving);
    } catch (thrown) {
      return told(thrown);
    }
  }

  async function serve(parsed: S3Request, operation: Operation): Promise<HttpAnswer> {
    const { http } = parsed;
    const request = operation.signed === 'in a form' ? await withForm(parsed) : parsed;
    const { principal, caller, credential } = await inSpan('authenticate', () =>
      authenticate(request, domain.identity, region, Date.now()),
    );
    refuseBrokenPromises(http.headers);
    const prepared = operation.prepare(request);
    const body = requestBody(request, credential);
    if (prepared.access === 'own') return prepared.run({ domain, caller, principal, body });
    const bucket = parseBucketName(bucketOf(request));
    const view = await inSpan('resolve head', () => domain.buckets.open(caller, principal, bucket, prepared.access));
    return prepared.run({ domain, caller, principal, body, view });
  }
}

/** Source: S3 API reference, "Common response headers". */
function withCommon(answer: HttpAnswer, requestId: string, fields: readonly HeaderField[]): HttpAnswer {
  const headers: HeaderField[] = [
    ['x-amz-request-id', requestId],
    ['x-amz-id-2', requestId],
  ];
  // One by one: to spread them, and the answer, takes several times as long, and every request comes this way.
  for (const field of answer.headers) headers.push(field);
  for (const field of fields) headers.push(field);
  return { status: answer.status, headers, body: answer.body };
}

async function withForm(request: S3Request): Promise<S3Request> {
  const { body, headers } = request.http;
  return { ...request, form: await readForm(body, headers.get('content-type')) };
}

/** By which a load balancer knows the request. */
function sentIdOf({ headers }: HttpRequest): string | undefined {
  const sent = headers.get('x-request-id');
  return sent !== undefined && SENT_ID.test(sent) ? sent : undefined;
}

/** Ids that no other worker gives: a random start, then counted, since one is made for every request. */
function createRequestIds(): () => string {
  const worker = randomBytes(5).toString('hex').toUpperCase();
  let count = randomBytes(3).readUIntBE(0, 3);
  return () => {
    count = (count + 1) % 0x1000000;
    return worker + count.toString(16).toUpperCase().padStart(6, '0');
  };
}
