import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Order =
  | {
      readonly kind: 'run';
      readonly scenario: string;
      /** Left out: a fleet of the test's own. */
      readonly target: string | undefined;
      readonly users: number | undefined;
      readonly seconds: number | undefined;
      /** devpachd's, of a fleet of the test's own. */
      readonly latency: string | undefined;
      readonly report: string | undefined;
    }
  | { readonly kind: 'compare'; readonly reports: readonly [string, string]; readonly report: string | undefined };

const USERS_MAX = 1_000;
const SECONDS_MAX = 86_400;
const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const SCRIPTS = fileURLToPath(new URL('../k6/', import.meta.url)).replace('/dist/', '/');

/** Every scenario that there is. */
export const SCENARIOS: readonly string[] = readdirSync(SCRIPTS)
  .flatMap((file) => /^(.+)\.ts$/.exec(file)?.[1] ?? [])
  .sort();

const USAGE = `usage: npm run loadtest -- SCENARIO [--target URL] [--users N] [--duration 30s|10m|1h] [--latency real|MS] [--report FILE]
       npm run loadtest -- compare REPORT REPORT [--report FILE]
scenarios: ${SCENARIOS.join(', ')}`;

/** @throws Error with what is wrong, and how it is used */
export function readOrder(args: readonly string[]): Order {
  const { values, positionals } = parse(args);
  const [what = '', ...rest] = positionals;
  if (what === 'compare') {
    const [first, second, ...more] = rest;
    if (first === undefined || second === undefined || more.length > 0) throw wrong('compare takes two reports');
    const missing = [first, second].find((file) => !existsSync(file));
    if (missing !== undefined) throw wrong(`there is no ${missing}`);
    return { kind: 'compare', reports: [first, second], report: values.report };
  }
  if (!SCENARIOS.includes(what)) throw wrong(what === '' ? 'which scenario?' : `there is no scenario ${what}`);
  if (rest.length > 0) throw wrong(`one scenario at a time, not also ${rest.join(' ')}`);
  const { target, users, duration, latency, report } = values;
  if (target !== undefined && latency !== undefined)
    throw wrong('--latency is of a fleet that is started for the test');
  if (latency !== undefined && !/^(real|\d{1,6})$/.test(latency))
    throw wrong('--latency must be real, or milliseconds');
  return {
    kind: 'run',
    scenario: what,
    target: target && targetOf(target),
    users: users === undefined ? undefined : integer('users', users, USERS_MAX),
    seconds: duration === undefined ? undefined : secondsOf(duration),
    latency,
    report,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { target: text, users: text, duration: text, latency: text, report: text };
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function targetOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.username !== '') {
    throw wrong('--target must be http://HOST:PORT or https://HOST:PORT');
  }
  return url.origin;
}

function secondsOf(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS_OF[unit] ?? Number.NaN);
  if (!(seconds >= 1 && seconds <= SECONDS_MAX)) throw wrong('--duration must be from 1s to 24h');
  return seconds;
}

function integer(name: string, text: string, max: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= max)) throw wrong(`--${name} must be from 1 to ${max}`);
  return value;
}

function wrong(what: string): Error {
  return new Error(`${what}\n${USAGE}`);
}
