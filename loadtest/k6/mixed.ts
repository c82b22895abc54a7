// Four reads to one write, on one bucket.
import type { Options } from 'k6/options';
import { readOrWrite, setupMixture } from './lib/mixture.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const { users, seconds } = load({ users: 20, seconds: 30 });

export const options: Options = {
  ...COMMON,
  scenarios: { mixed: { executor: 'constant-vus', vus: users, duration: `${seconds}s`, gracefulStop: GRACE } },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:GetObject}': ['p(50)<500', 'p(99)<5000'],
    'http_req_duration{name:PutObject}': ['p(50)<2000', 'p(99)<10000'],
  },
};

export const setup = () => setupMixture('mixed');
export default readOrWrite;
export { teardown } from './lib/data.ts';
