// Each user puts an object of 1 KB and reads it back, with signed requests.
//   npm run loadtest -- put-get
//   npm run loadtest -- put-get -e ENDPOINT=127.0.0.1:30600 -e TOKEN=... -e VUS=10 -e DURATION=30s
import { check, fail } from 'k6';
import exec from 'k6/execution';
import http, { type Response } from 'k6/http';
import { signedHeaders, type Unsigned } from './lib/sigv4.ts';

const HOST = __ENV['ENDPOINT'] ?? '127.0.0.1:30600';
const TOKEN = __ENV['TOKEN'] ?? 'any-key';
const OBJECT_BYTES = 1024;

export const options = {
  vus: Number(__ENV['VUS'] ?? 4),
  duration: __ENV['DURATION'] ?? '10s',
  thresholds: { checks: ['rate==1'], http_req_failed: ['rate==0'] },
};

export function setup(): { readonly bucket: string } {
  const bucket = `master.k6-${Date.now()}.default`;
  const created = call('PUT', `/${bucket}`);
  if (created.status !== 200) fail(`CreateBucket: ${created.status} ${created.body}`);
  return { bucket };
}

export default function putAndGet({ bucket }: { readonly bucket: string }): void {
  const path = `/${bucket}/${exec.vu.idInTest}/${exec.vu.iterationInInstance}.txt`;
  const content = path.repeat(Math.ceil(OBJECT_BYTES / path.length)).slice(0, OBJECT_BYTES);
  const put = call('PUT', path, content);
  const get = call('GET', path);
  check(put, { 'PUT is acknowledged': ({ status }) => status === 200 });
  check(get, { 'GET gives what was put': ({ status, body }) => status === 200 && body === content });
}

function call(method: Unsigned['method'], path: string, body = ''): Response {
  const headers = signedHeaders({ accessKey: TOKEN, secretKey: TOKEN }, { method, host: HOST, path, body });
  // One name for all keys, or k6 would keep figures for each URL.
  return http.request(method, `http://${HOST}${path}`, body === '' ? null : body, { headers, tags: { name: method } });
}
