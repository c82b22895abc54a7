import { describe, expect, it } from 'vitest';
import { createAggregate } from '../../../src/telemetry/aggregate.ts';
import { exposition } from '../../../src/telemetry/exposition.ts';
import { createRegistry, type Family } from '../../../src/telemetry/registry.ts';

const BOUNDS = [0.1, 1];

function fresh() {
  const registry = createRegistry();
  return {
    registry,
    calls: registry.counter('calls_total', 'Calls.', ['method', 'code']),
    seconds: registry.histogram('call_seconds', 'How long.', BOUNDS, ['method']),
  };
}

describe('what is counted', () => {
  it('is told by its labels, as Prometheus has it', () => {
    const { registry, calls, seconds } = fresh();
    calls('Get', 'OK').add();
    calls('Get', 'OK').add(2);
    calls('Pu"t\\', 'OK').add();
    for (const value of [0.1, 0.5, 3]) seconds('Get').observe(value);
    expect(exposition(registry.families(), registry.snapshot(), 'prometheus')).toBe(
      [
        '# HELP calls_total Calls.',
        '# TYPE calls_total counter',
        'calls_total{method="Get",code="OK"} 3',
        'calls_total{method="Pu\\"t\\\\",code="OK"} 1',
        '# HELP call_seconds How long.',
        '# TYPE call_seconds histogram',
        'call_seconds_bucket{method="Get",le="0.1"} 1',
        'call_seconds_bucket{method="Get",le="1"} 2',
        'call_seconds_bucket{method="Get",le="+Inf"} 3',
        'call_seconds_sum{method="Get"} 3.6',
        'call_seconds_count{method="Get"} 3',
        '',
      ].join('\n'),
    );
  });

  it('leads to traces in OpenMetrics, and only there', () => {
    const { registry, seconds } = fresh();
    const traceId = 'ab'.repeat(16);
    seconds('Get').observe(0.5, traceId);
    seconds('Get').observe(0.6);
    const text = exposition(registry.families(), registry.snapshot(), 'openmetrics');
    expect(text).toMatch(
      new RegExp(
        `^call_seconds_bucket\\{method="Get",le="1\\.0"\\} 2 # \\{trace_id="${traceId}"\\} 0\\.5 [\\d.]+$`,
        'm',
      ),
    );
    expect(text).toContain('# TYPE calls counter\n');
    expect(text).toMatch(/# EOF\n$/);
    expect(exposition(registry.families(), registry.snapshot(), 'prometheus')).not.toContain(traceId);
  });

  it('has no more series than it may, whatever the labels are', () => {
    const { registry, calls } = fresh();
    for (let number = 0; number < 5_000; number++) calls(`method ${number}`, 'OK').add();
    const series = registry.snapshot()['calls_total'] ?? [];
    expect(series.length).toBeLessThanOrEqual(2_001);
    expect(series.reduce((sum, { value }) => sum + Number(value), 0)).toBe(5_000);
  });
});

describe('workers together', () => {
  const families: readonly Family[] = [
    { kind: 'counter', name: 'calls_total', help: '', labels: [] },
    { kind: 'gauge', name: 'open', help: '', labels: [], over: 'sum' },
    { kind: 'gauge', name: 'oldest', help: '', labels: [], over: 'max' },
    { kind: 'histogram', name: 'seconds', help: '', labels: [], bounds: BOUNDS },
  ];
  const said = (number: number) => ({
    calls_total: [{ labels: [], value: number }],
    open: [{ labels: [], value: number }],
    oldest: [{ labels: [], value: number }],
    seconds: [{ labels: [], value: { counts: [number, 0, 1], sum: number, exemplars: {} } }],
  });

  it('are summed, and the oldest is the oldest of all', () => {
    const all = createAggregate(families);
    all.heard(0, said(3));
    all.heard(1, said(5));
    all.heard(1, said(6));
    expect(all.total()).toMatchObject({
      calls_total: [{ value: 9 }],
      open: [{ value: 9 }],
      oldest: [{ value: 6 }],
      seconds: [{ value: { counts: [9, 0, 2], sum: 9 } }],
    });
  });

  it('have no more series than one may, however many come and go with labels of their own', () => {
    const all = createAggregate([{ kind: 'counter', name: 'bucket_total', help: '', labels: ['bucket', 'kind'] }]);
    const bucketsOf = (worker: number) =>
      Array.from({ length: 100 }, (_, number) => ({ labels: [`${worker}-${number >> 1}`, `${number & 1}`], value: 1 }));
    for (let worker = 0; worker < 50; worker++) {
      all.heard(worker, { bucket_total: bucketsOf(worker) });
      all.left(worker);
    }
    all.heard(50, { bucket_total: [...bucketsOf(50), { labels: ['other', 'other'], value: 5 }] });
    const series = all.total()['bucket_total'] ?? [];
    expect(series.length).toBe(2_001);
    expect(new Set(series.map(({ labels }) => labels.join())).size).toBe(2_001);
    expect(series).toContainEqual({ labels: ['0-0', '1'], value: 1 });
    expect(series.reduce((sum, { value }) => sum + Number(value), 0)).toBe(51 * 100 + 5);
  });

  it('keep what one counted that has ended, and forget what it measured', () => {
    const all = createAggregate(families);
    all.heard(0, said(3));
    all.heard(1, said(5));
    all.left(1);
    all.heard(1, said(1));
    expect(all.total()).toMatchObject({
      calls_total: [{ value: 9 }],
      open: [{ value: 4 }],
      seconds: [{ value: { counts: [9, 0, 3], sum: 9 } }],
    });
  });
});
