// Many branches, each a bucket with the same keys: one is written to, and three others are read.
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { anyOf, contentOf, type Data, makeBuckets, succeed } from './lib/data.ts';
import { checkServed, getObject, putObject, send } from './lib/s3.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const REPOS = 10;
const BRANCHES = 20;
const READS = 3;
const OBJECT_BYTES = 1024;
const SEED = 'seed';
const { users, seconds } = load({ users: 16, seconds: 30 });

export const options: Options = {
  ...COMMON,
  scenarios: { branches: { executor: 'constant-vus', vus: users, duration: `${seconds}s`, gracefulStop: GRACE } },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:GetObject}': ['p(50)<500', 'p(99)<5000'],
    'http_req_duration{name:PutObject}': ['p(50)<2000', 'p(99)<10000'],
  },
};

// Whoever is shown another branch is found out: each has its own name in its contents.
const seedOf = (bucket: string) => contentOf(`${bucket} ${SEED}`, OBJECT_BYTES);

export function setup(): Data {
  const branches = Array.from({ length: BRANCHES }, (_, number) => `b${number}`);
  const buckets = Array.from({ length: REPOS }, (_, number) => makeBuckets(`branches-${number}`, branches)).flat();
  succeed(
    buckets.map((bucket) => putObject(bucket, SEED, seedOf(bucket))),
    'branches',
  );
  return { buckets };
}

export default function writeOneReadOthers({ buckets }: Data): void {
  const bucket = anyOf(buckets);
  const key = `own/${exec.vu.idInTest}`;
  const content = contentOf(`${bucket} ${key}`, OBJECT_BYTES, exec.vu.iterationInInstance);
  const isThere = checkServed(send(putObject(bucket, key, content)), {
    'the write is acknowledged': ({ status }) => status === 200,
  });
  if (isThere) {
    checkServed(send(getObject(bucket, key)), {
      'the object is what was put last': ({ status, body }) => status === 200 && body === content,
    });
  }
  for (let count = 0; count < READS; count++) {
    const other = anyOf(buckets);
    checkServed(send(getObject(other, SEED)), {
      "the object is its branch's": ({ status, body }) => status === 200 && body === seedOf(other),
    });
  }
}

export { teardown } from './lib/data.ts';
