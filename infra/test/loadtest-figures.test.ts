import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAggregate } from '../../loadtest/run/aggregate.ts';
import { parseSample } from '../../loadtest/run/samples.ts';
import { judge, parseThresholds, type Totals } from '../../loadtest/run/thresholds.ts';

const BEGAN_MS = 1_795_000_000_000;

/** A request as k6 tells of it. */
function request(atMs: number, ms: number, options: { name?: string; status?: number; code?: number } = {}): string[] {
  const { name = 'GetObject', status = 200, code } = options;
  const tags = `,${code ?? ''},${name},reads,${status},,`;
  const at = BEGAN_MS + atMs;
  return [
    `http_req_duration,${at},${ms.toFixed(6)},${tags}`,
    `http_req_failed,${at},${code === undefined ? 0 : 1},${tags}`,
  ];
}

function aggregateOf(lines: readonly string[]) {
  const aggregate = createAggregate();
  for (const line of lines) {
    const sample = parseSample(line);
    if (sample !== undefined) aggregate.add(sample);
  }
  return aggregate;
}

describe('figures of a load test', () => {
  it('are of what users do, and not of what is prepared and deleted', () => {
    const prepared = `http_req_duration,${BEGAN_MS - 5000},900.000000,,,PutObject,,200,,`;
    const { total, operations, seconds } = aggregateOf([prepared, ...request(0, 5), ...request(2000, 7)]).measured();
    expect(total.requests).toBe(2);
    expect(operations.map(({ name }) => name)).toEqual(['GetObject']);
    expect(seconds).toBe(2);
  });

  it('are by time, by operation and by what went wrong', () => {
    const lines = [
      ...request(0, 10),
      `vus,${BEGAN_MS + 100},7.000000,,,,,,,`,
      ...request(900, 10),
      ...request(1500, 1000, { name: 'PutObject', status: 503, code: 1503 }),
      ...request(1900, 30_000, { name: 'PutObject', status: 0, code: 1050 }),
      `checks,${BEGAN_MS + 1900},1.000000,the write is acknowledged,,,reads,,,`,
      `checks,${BEGAN_MS + 1900},0.000000,the write is acknowledged,,,reads,,,`,
      `data_received,${BEGAN_MS + 1900},500.000000,,,,reads,,,`,
    ];
    const { points, operations, faults, checks, users, bytesIn } = aggregateOf(lines).measured();
    expect(points.map(({ requests, failed, fromMs, ms }) => [requests, failed, fromMs, ms])).toEqual([
      [2, 0, 0, 1000],
      [2, 2, 1000, 900],
    ]);
    expect(operations.map(({ name, requests, failed }) => [name, requests, failed])).toEqual([
      ['GetObject', 2, 0],
      ['PutObject', 2, 2],
    ]);
    expect(faults).toEqual([
      { operation: 'PutObject', status: 503, code: 1503, count: 1 },
      { operation: 'PutObject', status: 0, code: 1050, count: 1 },
    ]);
    expect(checks).toEqual([{ name: 'the write is acknowledged', passed: 1, failed: 1 }]);
    expect([users, bytesIn]).toEqual([7, 500]);
  });

  it('have percentiles that are right to within a hundredth', () => {
    const some = fc.array(fc.integer({ min: 1, max: 60_000_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(some, fc.constantFrom(50, 95, 99, 100), (latenciesUs, percent) => {
        const sorted = latenciesUs.toSorted((a, b) => a - b);
        const rank = (sorted.length * percent) / 100;
        // Between two requests either is right.
        const [low, high] = [sorted[Math.max(0, Math.floor(rank) - 1)]!, sorted[Math.ceil(rank) - 1]!];
        const lines = latenciesUs.flatMap((us) => request(0, us / 1000));
        const foundUs = 1000 * aggregateOf(lines).totals.percentileMs(percent)!;
        expect(foundUs).toBeGreaterThanOrEqual(0.99 * low);
        expect(foundUs).toBeLessThanOrEqual(1.01 * high);
      }),
      { numRuns: 50 },
    );
  });

  it('keep no more of a day than of five minutes, and count all of it', () => {
    const aggregate = createAggregate();
    const daySeconds = 86_400;
    for (let second = 0; second < daySeconds; second++) {
      for (const line of request(second * 1000, 5)) aggregate.add(parseSample(line)!);
    }
    const { points, total } = aggregate.measured();
    expect(total.requests).toBe(daySeconds);
    expect(points.length).toBeLessThanOrEqual(300);
    expect(points.reduce((sum, { requests }) => sum + requests, 0)).toBe(daySeconds);
  });
});

describe('thresholds', () => {
  const totals: Totals = {
    checksPassed: () => 0.999,
    failed: (operation) => (operation === undefined ? 0.001 : undefined),
    percentileMs: (percent, operation) => (operation === 'PutObject' ? undefined : percent * 10),
    droppedPerSecond: () => 2,
  };
  const kept = (metric: string, ...thresholds: string[]) =>
    judge(parseThresholds({ [metric]: thresholds }), totals).map((verdict) => verdict.kept);

  it('are judged as k6 writes them', () => {
    expect(kept('checks', 'rate==1', 'rate>0.99', 'rate>=0.999', 'rate>0.999')).toEqual([false, true, true, false]);
    expect(kept('http_req_failed', 'rate==0', 'rate<0.01', 'rate<=0.001')).toEqual([false, true, true]);
    expect(kept('http_req_duration', 'p(99)<990', 'p(99)<=990', 'p(50)<1000')).toEqual([false, true, true]);
    expect(kept('dropped_iterations', 'rate<2', 'rate<2.1')).toEqual([false, true]);
  });

  it('are not kept by what was not measured', () => {
    expect(kept('http_req_duration{name:PutObject}', 'p(99)<1000')).toEqual([false]);
    expect(kept('http_req_failed{name:GetObject}', 'rate==0')).toEqual([false]);
  });

  it.each([
    ['checks', 'count>1'],
    ['http_req_duration', 'avg<5'],
    ['http_reqs', 'rate>1'],
    ['checks', 'rate'],
  ])('are refused where nobody can judge them: %s %s', (metric, threshold) => {
    expect(() => parseThresholds({ [metric]: [threshold] })).toThrow(`nobody judges ${metric}: ${threshold}`);
  });
});
