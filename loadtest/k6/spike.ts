// The mixture of `mixed` by a tenth of the users, then suddenly by all of them, then by a tenth again.
import type { Options } from 'k6/options';
import { readOrWrite, setupMixture } from './lib/mixture.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const { users, seconds } = load({ users: 150, seconds: 60 });
const few = Math.max(1, Math.round(users / 10));
const part = (of: number) => `${Math.round(seconds * of * 1000)}ms`;

export const options: Options = {
  ...COMMON,
  scenarios: {
    spike: {
      executor: 'ramping-vus',
      startVUs: few,
      stages: [
        { duration: part(0.3), target: few },
        { duration: part(0.02), target: users },
        { duration: part(0.36), target: users },
        { duration: part(0.02), target: few },
        { duration: part(0.3), target: few },
      ],
      gracefulRampDown: GRACE,
      gracefulStop: GRACE,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    // At such a moment some may be told to slow down.
    http_req_failed: ['rate<0.05'],
    'http_req_duration{name:GetObject}': ['p(50)<2000', 'p(99)<10000'],
    'http_req_duration{name:PutObject}': ['p(50)<5000', 'p(99)<20000'],
  },
};

export const setup = () => setupMixture('spike');
export default readOrWrite;
export { teardown } from './lib/data.ts';
