import { describe, expect, it } from 'vitest';
import { type Program, startNode } from '../../services/gateway/test/support/program.ts';

const load = (...args: string[]): Program => startNode('loadtest/run/main.ts', { args });

describe('npm run loadtest', () => {
  it('says in a few lines what it cannot do', async () => {
    const cases = [
      [[], 'which scenario?'],
      [['reads'], 'there is no scenario reads'],
      [['hot-reads', 'writes'], 'one scenario at a time, not also writes'],
      [['hot-reads', '--users', '0'], '--users must be from 1 to 1000'],
      [['hot-reads', '--users', '1001'], '--users must be from 1 to 1000'],
      [['hot-reads', '--duration', '30'], '--duration must be from 1s to 24h'],
      [['hot-reads', '--duration', '25h'], '--duration must be from 1s to 24h'],
      [['hot-reads', '--target', 'localhost:1'], '--target must be http://HOST:PORT or https://HOST:PORT'],
      [['hot-reads', '--target', 'http://127.0.0.1:1', '--latency', 'real'], '--latency is of a fleet'],
      [['hot-reads', '--latency', 'slow'], '--latency must be real, or milliseconds'],
    ] as const;
    for (const [args, words] of cases) {
      const program = load(...args);
      expect(await program.exited).toEqual({ code: 1, signal: null });
      expect(program.output()).toContain(`loadtest: ${words}`);
      expect(program.output()).toContain('scenarios: branches, cold-reads, hot-reads, listing, mixed, multipart, ');
    }
  });
});
