import type { Span } from '@opentelemetry/api';
import type { Outcome } from './outcome.ts';

/** What a trace has of a request as it came. */
export interface TracedRequest {
  readonly rawQuery: string;
  readonly headers: { get(lowerName: string): string | undefined };
}

/** Those of RFC 9110 and PATCH; anything else is some client's own word. */
const METHODS = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)$/;

/** Source: OpenTelemetry semantic conventions, "HTTP server" and "AWS SDK". */
export function describeOutcome(span: Span, outcome: Outcome): void {
  const { target, code, sentId, method } = outcome;
  span.updateName(outcome.operation);
  span.setAttribute('http.request.method', METHODS.test(method) ? method : '_OTHER');
  if (!METHODS.test(method)) span.setAttribute('http.request.method_original', method);
  span.setAttribute('url.path', outcome.rawPath);
  span.setAttribute('http.response.status_code', outcome.status);
  span.setAttribute('http.request.body.size', outcome.bytesIn);
  span.setAttribute('http.response.body.size', outcome.bytesOut);
  span.setAttribute('rpc.system', 'aws-api');
  span.setAttribute('rpc.service', 'S3');
  span.setAttribute('rpc.method', outcome.operation);
  span.setAttribute('aws.request_id', outcome.requestId);
  if (target.bucket !== undefined) span.setAttribute('aws.s3.bucket', target.bucket);
  if (target.key !== undefined) span.setAttribute('aws.s3.key', target.key);
  if (code !== undefined) span.setAttribute('error.type', code);
  if (sentId !== undefined) span.setAttribute('http.request.header.x-request-id', [sentId]);
}

/**
 * Of the query only what is no credential: presigned ones stand in it. Source: OpenTelemetry semantic conventions, "HTTP server" and
 * "AWS S3".
 */
export function describeSent(span: Span, { rawQuery, headers }: TracedRequest, scheme: string): void {
  span.setAttribute('url.scheme', scheme);
  const [, address, port] = /^(.*?)(?::(\d+))?$/.exec(headers.get('host') ?? '') ?? [];
  if (address) span.setAttribute('server.address', address);
  if (port !== undefined) span.setAttribute('server.port', Number(port));
  const agent = headers.get('user-agent');
  if (agent !== undefined) span.setAttribute('user_agent.original', agent);
  const [source] = headers.get('x-amz-copy-source')?.split('?') ?? [];
  if (source !== undefined) span.setAttribute('aws.s3.copy_source', source);
  const query = new URLSearchParams(rawQuery);
  const [uploadId, part] = [query.get('uploadId'), query.get('partNumber')];
  if (uploadId !== null) span.setAttribute('aws.s3.upload_id', uploadId);
  if (part !== null && /^\d{1,5}$/.test(part)) span.setAttribute('aws.s3.part_number', Number(part));
}
