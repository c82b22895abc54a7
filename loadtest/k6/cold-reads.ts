// Small objects whose contents no gateway has seen, each read once, in no order. It ends when all of them are read.
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { contentOf, type Data, makeBuckets, succeed } from './lib/data.ts';
import { checkServed, copyObject, getObject, putObject, send } from './lib/s3.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const OBJECT_BYTES = 4096;
const FOLDERS = 100;
const { users, seconds } = load({ users: 16, seconds: 30 });
// About as many as a fleet on two cores reads in that time.
const OBJECTS = Math.min(20_000, Math.ceil(seconds * 300));
// Prime, so that steps of it meet every object once.
const STRIDE = 7919;

export const options: Options = {
  ...COMMON,
  scenarios: {
    'cold-reads': {
      executor: 'shared-iterations',
      vus: users,
      iterations: OBJECTS,
      maxDuration: `${seconds}s`,
      gracefulStop: GRACE,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:GetObject}': ['p(50)<1000', 'p(99)<5000'],
  },
};

const keyOf = (number: number) => `${number % FOLDERS}/${number}`;

export function setup(): Data {
  const [written = ''] = makeBuckets('written');
  const [cold = ''] = makeBuckets('cold-reads');
  const keys = Array.from({ length: OBJECTS }, (_, number) => keyOf(number));
  succeed(
    keys.map((key) => putObject(written, key, contentOf(key, OBJECT_BYTES))),
    'objects',
  );
  // Gateways keep contents by repo, and a copy moves no bytes: in its repo nobody knows them.
  succeed(
    keys.map((key) => copyObject(cold, key, `${written}/${key}`)),
    'copies',
  );
  return { buckets: [cold, written] };
}

export default function readNext({ buckets: [bucket = ''] }: Data): void {
  const key = keyOf((exec.scenario.iterationInTest * STRIDE) % OBJECTS);
  const answer = send(getObject(bucket, key));
  checkServed(answer, {
    'the object is what was put': ({ status, body }) => status === 200 && body === contentOf(key, OBJECT_BYTES),
  });
}

export { teardown } from './lib/data.ts';
