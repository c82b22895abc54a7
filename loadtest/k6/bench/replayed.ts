// One request, signed once and sent again and again as wrk does it, and nothing of its answer looked at: what k6 takes by itself.
import http from 'k6/http';
import type { Options } from 'k6/options';
import { load, SIGNER, TARGET } from '../lib/settings.ts';
import { signedHeaders } from '../lib/sigv4.ts';

const { users, seconds } = load({ users: 32, seconds: 5 });
const path = '/bucket/object.bin';
const host = TARGET.replace(/^\w+:\/\//, '');
const headers = signedHeaders(SIGNER, { method: 'GET', host, path, query: '', headers: {}, body: '' });
const params = { headers, tags: { name: 'GetObject' } };

export const options: Options = {
  discardResponseBodies: true,
  scenarios: { replayed: { executor: 'constant-vus', vus: users, duration: `${seconds}s` } },
};

export default function readOne(): void {
  http.get(`${TARGET}${path}`, params);
}
