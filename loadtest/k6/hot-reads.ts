// A few small objects, read again and again: what the gateways have in memory.
import type { Options } from 'k6/options';
import { anyOf, contentOf, type Data, makeBuckets, succeed } from './lib/data.ts';
import { checkServed, getObject, putObject, send } from './lib/s3.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const OBJECT_BYTES = 1024;
const OBJECTS = Array.from({ length: 64 }, (_, number) => {
  const key = `hot/${number}`;
  return { key, content: contentOf(key, OBJECT_BYTES) };
});
const { users, seconds } = load({ users: 16, seconds: 30 });

export const options: Options = {
  ...COMMON,
  scenarios: {
    'hot-reads': { executor: 'constant-vus', vus: users, duration: `${seconds}s`, gracefulStop: GRACE },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:GetObject}': ['p(50)<250', 'p(99)<1000'],
  },
};

export function setup(): Data {
  const [bucket = ''] = makeBuckets('hot-reads');
  succeed(
    OBJECTS.map(({ key, content }) => putObject(bucket, key, content)),
    'objects',
  );
  return { buckets: [bucket] };
}

export default function readOne({ buckets: [bucket = ''] }: Data): void {
  const { key, content } = anyOf(OBJECTS);
  const answer = send(getObject(bucket, key));
  checkServed(answer, { 'the object is what was put': ({ status, body }) => status === 200 && body === content });
}

export { teardown } from './lib/data.ts';
