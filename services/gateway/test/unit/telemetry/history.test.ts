import { expect, it } from 'vitest';
import { createHistory } from '../../../src/admin/history.ts';
import { SECONDS } from '../../../src/telemetry/metrics.ts';
import type { Snapshot } from '../../../src/telemetry/registry.ts';

function counted(ok: number, faults: number): Snapshot {
  const counts = SECONDS.map((bound) => (bound === 0.01 ? ok : 0)).concat(0);
  return {
    tusk_requests_total: [
      { labels: ['GetObject', '200', 'OK'], value: ok },
      { labels: ['GetObject', '503', 'SlowDown'], value: faults },
    ],
    tusk_request_faults_total: [{ labels: ['GetObject'], value: faults }],
    tusk_request_answer_seconds: [{ labels: ['GetObject'], value: { counts, sum: 0, exemplars: {} } }],
    tusk_request_bytes_total: [
      { labels: ['in'], value: 0 },
      { labels: ['out'], value: 1_000 * ok },
    ],
  };
}

it('tells what went on between two looks, and forgets what is older than ten minutes', () => {
  const history = createHistory();
  history.note(counted(100, 0), 0);
  expect(history.moments()).toEqual([]);
  history.note(counted(200, 10), 5_000);
  history.note(counted(200, 10), 10_000);
  const [first, second] = history.moments();
  expect(first).toMatchObject({ atMs: 5_000, requestsPerSecond: 22, faultsPerSecond: 2, bytesOutPerSecond: 20_000 });
  expect(first?.reads.p50Ms).toBeGreaterThan(5);
  expect(first?.reads.p99Ms).toBeLessThanOrEqual(10);
  expect(second).toMatchObject({ requestsPerSecond: 0, reads: { p50Ms: undefined } });
  for (let look = 3; look < 400; look++) history.note(counted(200, 10), 5_000 * look);
  expect(history.moments()).toHaveLength(120);
});
