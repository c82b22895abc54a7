import { describe, expect, it } from 'vitest';
import { createAccessLog } from '../../../src/telemetry/access-log.ts';
import type { Outcome } from '../../../src/telemetry/outcome.ts';

const WELL: Outcome = {
  requestId: 'A1',
  sentId: 'of-the-balancer',
  traceId: 'ab'.repeat(16),
  operation: 'GetObject',
  target: { bucket: 'master.repo', key: 'key' },
  method: 'GET',
  rawPath: '/master.repo/key',
  status: 200,
  code: undefined,
  cause: undefined,
  bytesIn: 0,
  bytesOut: 5,
  answerMs: 1,
  totalMs: 2.345,
};
const WRONG: Outcome = { ...WELL, status: 503, code: 'ServiceUnavailable', cause: new Error('no pachd serves') };
const BROKEN: Outcome = { ...WELL, code: 'CutShort', cause: new Error('pachd is gone') };
const SLOW: Outcome = { ...WELL, answerMs: 1_000 };
const REFUSED: Outcome = { ...WELL, status: 403, code: 'AccessDenied' };
const UNKNOWN: Outcome = { ...WELL, status: 501, code: 'NotImplemented' };

type Line = Readonly<Record<string, unknown>>;

/** What is written of requests when these numbers are drawn, one after the other. */
function written(enabled: boolean, sample: number, drawn: readonly number[], outcomes: readonly Outcome[]) {
  const lines: { readonly level: string; readonly line: Line }[] = [];
  const log = {
    line: (level: string, members: string) => void lines.push({ level, line: JSON.parse(`{${members}}`) as Line }),
  };
  const numbers = [...drawn];
  const draw = () => {
    const number = numbers.shift();
    if (number === undefined) throw new Error('nothing is to be drawn for this one');
    return number;
  };
  const observe = createAccessLog(log, { enabled, sample, draw });
  for (const outcome of outcomes) observe(outcome);
  return lines;
}

describe('the access log', () => {
  it('has a line for each request, with its ids, and draws for none', () => {
    const lines = written(true, 1, [], [WELL, REFUSED, UNKNOWN]);
    expect(lines.map(({ level }) => level)).toEqual(['info', 'info', 'info']);
    expect(lines[0]?.line).toMatchObject({
      requestId: 'A1',
      sentId: 'of-the-balancer',
      traceId: 'ab'.repeat(16),
      operation: 'GetObject',
      path: '/master.repo/key',
      status: 200,
      ms: 2.3,
      sample: 1,
    });
    expect(lines[0]?.line).not.toHaveProperty('cause');
  });

  it('says as it is what a client may send', () => {
    const sent = { method: '"GET"', rawPath: '/b/"},{"status":200,\n\u2028\\\u00e9\u0000', sentId: 'a"\\b' };
    const [line] = written(true, 1, [], [{ ...REFUSED, ...sent }]);
    expect(line?.line).toMatchObject({ method: sent.method, path: sent.rawPath, sentId: sent.sentId, status: 403 });
  });

  it('has those that are drawn, and says which part that is', () => {
    const lines = written(true, 0.25, [0.24, 0.25, 0.9, 0], [WELL, WELL, REFUSED, UNKNOWN]);
    expect(lines.map(({ line }) => [line['status'], line['sample']])).toEqual([
      [200, 0.25],
      [501, 0.25],
    ]);
  });

  it('has what went wrong on this side and what was slow in any case, as what stands for itself alone', () => {
    const lines = written(true, 0.01, [0.5], [WRONG, BROKEN, SLOW, WELL]);
    expect(lines.map(({ level, line }) => [level, line['sample']])).toEqual([
      ['warn', 1],
      ['warn', 1],
      ['info', 1],
    ]);
    expect(lines[0]?.line['cause']).toMatchObject({ type: 'Error', message: 'no pachd serves' });
    expect(lines[0]?.line['code']).toBe('ServiceUnavailable');
    expect(lines[2]?.line['cause']).toBeUndefined();
  });

  it('lets the number of requests be counted', () => {
    let state = 1;
    const numbers = Array.from({ length: 20_000 }, () => {
      state = (state * 48_271) % 0x7fffffff;
      return state / 0x7fffffff;
    });
    const outcomes = [...numbers.map(() => WELL), ...Array.from({ length: 7 }, () => WRONG)];
    const lines = written(true, 0.1, numbers, outcomes);
    const counted = lines.reduce((sum, { line }) => sum + 1 / Number(line['sample']), 0);
    expect(lines.length).toBeLessThan(2_500);
    // Drawn by these numbers: six standard deviations (1 / part * sqrt(n * part * (1 - part))) are 2546.
    expect(Math.abs(counted - outcomes.length)).toBeLessThan(2_546);
  });

  it('has nothing but what went wrong where it is switched off', () => {
    expect(written(false, 0.5, [], [WELL, SLOW, REFUSED, WRONG]).map(({ line }) => line['status'])).toEqual([503]);
  });
});
