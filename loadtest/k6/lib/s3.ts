// S3 operations as calls, to be sent one by one or many at once.
import { check } from 'k6';
import http, { type ObjectBatchRequest, type RefinedResponse, type ResponseType } from 'k6/http';
import { AT_ONCE, REQUEST_TIMEOUT, SIGNER, TARGET } from './settings.ts';
import { queryOf, signedHeaders, type Unsigned } from './sigv4.ts';

export interface Call {
  /** S3's name of the operation, by which figures are kept: k6 would keep them by URL. */
  readonly operation: string;
  readonly method: Unsigned['method'];
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ArrayBuffer;
  /** Whether the answer's body is wanted as bytes. */
  readonly binary?: boolean;
}

export type Answer = RefinedResponse<ResponseType>;

const HOST = /^https?:\/\/([^/]+)$/.exec(TARGET)?.[1] ?? '';

export const createBucket = (bucket: string): Call => ({ operation: 'CreateBucket', method: 'PUT', bucket });
export const deleteBucket = (bucket: string): Call => ({ operation: 'DeleteBucket', method: 'DELETE', bucket });

export function putObject(bucket: string, key: string, body: string): Call {
  return { operation: 'PutObject', method: 'PUT', bucket, key, body };
}

export function getObject(bucket: string, key: string): Call {
  return { operation: 'GetObject', method: 'GET', bucket, key };
}

export function deleteObject(bucket: string, key: string): Call {
  return { operation: 'DeleteObject', method: 'DELETE', bucket, key };
}

/** @param from BUCKET/KEY */
export function copyObject(bucket: string, key: string, from: string): Call {
  const headers = { 'x-amz-copy-source': `/${from}` };
  return { operation: 'CopyObject', method: 'PUT', bucket, key, headers };
}

export function listObjects(bucket: string, query: Readonly<Record<string, string>>): Call {
  return { operation: 'ListObjectsV2', method: 'GET', bucket, query: { 'list-type': '2', ...query } };
}

/**
 * Checks an answer, if there is one: what a target does not serve (no answer, or a status of 500 and above) counts as failed, which some
 * requests may be; a wrong answer may none. @returns whether it was there, and right
 */
export function checkServed(answer: Answer, wanted: Readonly<Record<string, (answer: Answer) => boolean>>): boolean {
  return answer.status !== 0 && answer.status < 500 && check(answer, wanted);
}

/** Sends one call and waits. */
export function send(call: Call): Answer {
  const { method, url, body, params } = requestOf(call);
  return http.request(method, url, body, params);
}

/** Sends many calls, some at once. @param onSome told how many are answered */
export function sendAll(calls: readonly Call[], onSome: (answered: number) => void): readonly Answer[] {
  const answers: Answer[] = [];
  for (let from = 0; from < calls.length; from += AT_ONCE) {
    answers.push(...http.batch(calls.slice(from, from + AT_ONCE).map(requestOf)));
    onSome(answers.length);
  }
  return answers;
}

function requestOf(call: Call) {
  const { operation, method, bucket, key, binary = false, body = '' } = call;
  const path = key === undefined ? `/${bucket}` : `/${bucket}/${key}`;
  const query = queryOf(call.query ?? {});
  const headers = signedHeaders(SIGNER, { method, host: HOST, path, query, headers: call.headers ?? {}, body });
  return {
    method,
    url: `${TARGET}${path}${query === '' ? '' : `?${query}`}`,
    body: body === '' ? null : body,
    params: {
      headers,
      tags: { name: operation },
      timeout: REQUEST_TIMEOUT,
      responseType: binary ? 'binary' : 'text',
    },
  } satisfies ObjectBatchRequest;
}
