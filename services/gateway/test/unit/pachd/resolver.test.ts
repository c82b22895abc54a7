import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createResolver, type Resolver } from '../../../src/pachd/resolver.ts';

const NAME = { host: 'pachd.example', port: 1650, tls: true };
const ADDRESS = { host: '10.0.0.9', port: 1651, tls: false };

let answer: () => Promise<readonly string[]>;
let lookups: number;
let changes: number;
let resolver: Resolver;

beforeEach(() => {
  vi.useFakeTimers();
  [lookups, changes] = [0, 0];
});
afterEach(() => {
  resolver.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

async function start(first: readonly string[] | Error): Promise<void> {
  say(first);
  resolver = createResolver(
    [ADDRESS, NAME],
    () => {
      changes += 1;
    },
    () => {
      lookups += 1;
      return answer();
    },
  );
  await vi.advanceTimersByTimeAsync(0);
}

function say(what: readonly string[] | Error): void {
  answer = () => (what instanceof Error ? Promise.reject(what) : Promise.resolve(what));
}

const hosts = () => resolver.endpoints().map(({ host }) => host);

it('an address is itself, and a name all of its addresses, which keep it for TLS', async () => {
  await start(['10.0.0.2', '10.0.0.1', 'fd00::1']);
  expect(resolver.endpoints()).toEqual([
    { ...ADDRESS, name: undefined },
    { host: '10.0.0.1', port: 1650, tls: true, name: 'pachd.example' },
    { host: '10.0.0.2', port: 1650, tls: true, name: 'pachd.example' },
    { host: 'fd00::1', port: 1650, tls: true, name: 'pachd.example' },
  ]);
  expect(lookups).toBe(1);
});

it('a name is looked up again every five seconds, and tells only of what has changed', async () => {
  await start(['10.0.0.1', '10.0.0.2']);
  say(['10.0.0.2', '10.0.0.1']);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([lookups, changes]).toEqual([2, 1]);
  say(['10.0.0.3']);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([lookups, changes]).toEqual([3, 2]);
  expect(hosts()).toEqual(['10.0.0.9', '10.0.0.3']);
});

it.each([
  ['fails', new Error('no server answers')],
  ['finds nothing', []],
])('a look-up that %s changes nothing, and says why', async (_, outcome) => {
  await start(['10.0.0.1']);
  say(outcome);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([hosts(), changes]).toEqual([['10.0.0.9', '10.0.0.1'], 1]);
  expect(resolver.failure()).toMatch(/no server answers|has no address/);
  say(['10.0.0.2']);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([hosts(), resolver.failure()]).toEqual([['10.0.0.9', '10.0.0.2'], undefined]);
});

it('after failures it is looked up at once, together, and not more than twice a second', async () => {
  await start(['10.0.0.1']);
  await vi.advanceTimersByTimeAsync(500);
  say(['10.0.0.2']);
  await Promise.all([resolver.refresh(), resolver.refresh(), resolver.refresh()]);
  expect([lookups, hosts()]).toEqual([2, ['10.0.0.9', '10.0.0.2']]);
  await resolver.refresh();
  expect(lookups).toBe(2);
});
