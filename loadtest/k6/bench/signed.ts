// The reads of hot-reads at a target that has one object: each signed, each compared.
import type { Options } from 'k6/options';
import { contentOf } from '../lib/data.ts';
import { checkServed, getObject, send } from '../lib/s3.ts';
import { load } from '../lib/settings.ts';

const KEY = 'object.bin';
const CONTENT = contentOf(KEY, 1024);
const { users, seconds } = load({ users: 32, seconds: 5 });

export const options: Options = {
  scenarios: { signed: { executor: 'constant-vus', vus: users, duration: `${seconds}s` } },
};

export default function readOne(): void {
  checkServed(send(getObject('bucket', KEY)), {
    'the object is what was put': ({ status, body }) => status === 200 && body === CONTENT,
  });
}
