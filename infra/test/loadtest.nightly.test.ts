import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../loadtest/run/options.ts';
import { makeFolder } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
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
  it.each(SCENARIOS)('%s keeps its thresholds on a fleet that is well', { timeout: TIMEOUT_MS }, async (scenario) => {
    await load([scenario, '--users', '4', '--duration', '5s'], async (program) => {
      expect((await program.exited).code, program.output()).toBe(0);
      expect(program.output()).toContain(`${scenario} passed on a fleet of its own`);
    });
  });
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
