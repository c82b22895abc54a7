// What the runner (loadtest/run) tells a scenario in its environment.
import type { Options } from 'k6/options';
import type { Signer } from './sigv4.ts';

/** http://HOST:PORT */
export const TARGET = required('TARGET');
export const SIGNER: Signer = {
  accessKey: required('AWS_ACCESS_KEY_ID'),
  secretKey: required('AWS_SECRET_ACCESS_KEY'),
};

/** Whether the scenario deletes its buckets at its end. */
export const CLEANS = __ENV['CLEAN'] === 'yes';

/** How many users there are at once, and for how long, unless the runner was told otherwise. */
export function load(defaults: { readonly users: number; readonly seconds: number }) {
  return {
    users: Number(__ENV['USERS'] ?? defaults.users),
    seconds: Number(__ENV['SECONDS'] ?? defaults.seconds),
  };
}

/**
 * How long a request may take, and how long users may go on after the test's end. The second is the longer one, so that a request
 * that is never answered is counted as failed, and not forgotten.
 */
export const REQUEST_TIMEOUT = '30s';
export const GRACE = '35s';

/** How many requests are under way at once where many are sent. */
export const AT_ONCE = 128;

/** What all scenarios have in common. */
export const COMMON: Options = {
  setupTimeout: '15m',
  teardownTimeout: '15m',
  batch: AT_ONCE,
  batchPerHost: AT_ONCE,
};

function required(name: string): string {
  const value = __ENV[name];
  if (value === undefined) throw new Error(`${name} is not set: run it by npm run loadtest`);
  return value;
}
