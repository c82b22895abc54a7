// The mixture of `mixed` at a pace that does not grow, for a long time: what creeps is seen.
import type { Options } from 'k6/options';
import { readOrWrite, setupMixture } from './lib/mixture.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const { users, seconds } = load({ users: 20, seconds: 1800 });
/** Of each user. It is what a fleet on two cores carries without haste. */
const REQUESTS_PER_SECOND = 4;

export const options: Options = {
  ...COMMON,
  scenarios: {
    soak: {
      executor: 'constant-arrival-rate',
      rate: users * REQUESTS_PER_SECOND,
      preAllocatedVUs: users,
      duration: `${seconds}s`,
      gracefulStop: GRACE,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.001'],
    // What came when all users were still busy.
    dropped_iterations: [`rate<${0.05 * users * REQUESTS_PER_SECOND}`],
    'http_req_duration{name:GetObject}': ['p(50)<250', 'p(99)<2000'],
    'http_req_duration{name:PutObject}': ['p(50)<1000', 'p(99)<5000'],
  },
};

export const setup = () => setupMixture('soak');
export default readOrWrite;
export { teardown } from './lib/data.ts';
