// New small objects in one bucket; each user reads one in sixteen of its own back.
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { contentOf, type Data, makeBuckets } from './lib/data.ts';
import { checkServed, getObject, putObject, send } from './lib/s3.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const OBJECT_BYTES = 4096;
const READ_BACK_EVERY = 16;
const { users, seconds } = load({ users: 32, seconds: 30 });

export const options: Options = {
  ...COMMON,
  scenarios: { writes: { executor: 'constant-vus', vus: users, duration: `${seconds}s`, gracefulStop: GRACE } },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:PutObject}': ['p(50)<2000', 'p(99)<10000'],
  },
};

export function setup(): Data {
  return { buckets: makeBuckets('writes') };
}

export default function writeNext({ buckets: [bucket = ''] }: Data): void {
  const number = exec.vu.iterationInInstance;
  const key = `${exec.vu.idInTest}/${number}`;
  const content = contentOf(key, OBJECT_BYTES);
  const isThere = checkServed(send(putObject(bucket, key, content)), {
    'the write is acknowledged': ({ status }) => status === 200,
  });
  if (!isThere || number % READ_BACK_EVERY !== 0) return;
  checkServed(send(getObject(bucket, key)), {
    'the object is what was put': ({ status, body }) => status === 200 && body === content,
  });
}

export { teardown } from './lib/data.ts';
