import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../loadtest/run/options.ts';
import { makeFolder } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { scrape } from '../../services/gateway/test/support/metrics.ts';
import { type Program, ROOT, startNode } from '../../services/gateway/test/support/program.ts';
import { ROOT_TOKEN } from '../cluster/cluster.ts';
import { startFleet } from './fleet.ts';

const TIMEOUT_MS = 600_000;
const THRESHOLDS_CROSSED = 99;

async function load(args: readonly string[], work: (program: Program) => Promise<void>): Promise<void> {
  const folder = await makeFolder();
  const PATH = `${join(ROOT, '.cache/bin')}${delimiter}${process.env['PATH']}`;
  const env = { PATH, AWS_ACCESS_KEY_ID: ROOT_TOKEN, AWS_SECRET_ACCESS_KEY: ROOT_TOKEN };
  try {
    await work(startNode('loadtest/run/main.ts', { args: [...args, '--report', join(folder.path, 'r.html')], env }));
  } finally {
    await folder.remove();
  }
}

describe('every scenario', () => {
  it.each(SCENARIOS)('%s is answered rightly by a fleet that is well', { timeout: TIMEOUT_MS }, async (scenario) => {
    await load([scenario, '--users', '4', '--duration', '5s'], async (program) => {
      expect([0, THRESHOLDS_CROSSED]).toContain((await program.exited).code);
      expect(program.output()).toMatch(/^ok +checks rate==1: 100 %$/m);
      expect(program.output()).toMatch(/^ok +http_req_failed rate<0\.\d+: /m);
      // How long it takes, the machine decides.
      const crossed = [...program.output().matchAll(/^FAILED +(\w+)/gm)].map(([, metric]) => metric);
      expect(crossed.filter((metric) => metric !== 'http_req_duration' && metric !== 'dropped_iterations')).toEqual([]);
    });
  });
});

it('cold reads are cold: no gateway has the content of any of them', { timeout: TIMEOUT_MS }, async () => {
  const fleet = await startFleet({ auth: true });
  try {
    await load(['cold-reads', '--target', fleet.url, '--users', '4', '--duration', '5s'], async (program) => {
      expect((await program.exited).code, program.output()).toBe(0);
    });
    const scrapes = await Promise.all(fleet.gateways.map((gateway) => scrape(gateway)));
    const all = (name: string, labels: Readonly<Record<string, string>>) =>
      scrapes.reduce((sum, scraped) => sum + scraped.sum(name, labels), 0);
    expect(all('tusk_requests_total', { operation: 'GetObject' })).toBeGreaterThan(0);
    expect(all('tusk_pachd_call_seconds_count', { method: 'GetFileTAR' })).toBeGreaterThan(0);
    for (const cache of ['content', 'fleet content']) {
      expect(all('tusk_cache_requests_total', { cache, outcome: 'hit' })).toBe(0);
    }
  } finally {
    await fleet.stop();
  }
});

it('a fleet that never answers fails, although no request of it ends', { timeout: TIMEOUT_MS }, async () => {
  const fleet = await startFleet({ auth: true });
  try {
    await load(['hot-reads', '--target', fleet.url, '--users', '4', '--duration', '10s'], async (program) => {
      await eventually(
        'objects are read',
        () => fleet.requests(),
        (requests) => requests.some(({ method }) => method === 'GET'),
      );
      for (const member of [fleet.haproxy, ...fleet.gateways]) member.pause();
      await eventually(
        'k6 has given its requests up',
        () => program.output(),
        (output) => /request timeout/i.test(output),
      );
      for (const member of [fleet.haproxy, ...fleet.gateways]) member.resume();
      expect((await program.exited).code, program.output()).toBe(THRESHOLDS_CROSSED);
      expect(program.output()).toMatch(/^FAILED +GetObject: no answer \(k6's error 1050\) /m);
    });
  } finally {
    await fleet.stop();
  }
});
