import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBusiest } from '../../../src/telemetry/busiest.ts';

function figures(busiest: ReturnType<typeof createBusiest>, what: 'requests' | 'bytes'): Record<string, number> {
  return Object.fromEntries(busiest.series(what).map(({ labels, value }) => [labels[0], Number(value)]));
}

describe('the busiest buckets', () => {
  it('are found among many, whenever they come up', () => {
    const busiest = createBusiest();
    busiest.watch(2);
    for (let round = 0; round < 1_000; round++) {
      busiest.note(`rare-${round}.repo`, 1);
      busiest.note('busy.repo', 10);
      if (round > 300) busiest.note('later.repo', 5);
    }
    const requests = figures(busiest, 'requests');
    expect(Object.keys(requests).sort()).toEqual(['busy.repo', 'later.repo', 'others']);
    expect(requests['busy.repo']).toBeGreaterThan(900);
    expect(requests['later.repo']).toBeGreaterThan(600);
    expect(figures(busiest, 'bytes')['busy.repo']).toBe(10 * Number(requests['busy.repo']));
  });

  it('are not named where nobody asked', () => {
    const busiest = createBusiest();
    busiest.note('some.repo', 1);
    expect(busiest.series('requests')).toEqual([]);
  });

  it('never count back, and are no more than they may be', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 300 }), (buckets) => {
        const busiest = createBusiest();
        busiest.watch(3);
        let before: Record<string, number> = {};
        for (const bucket of buckets) {
          busiest.note(`b${bucket}.repo`, 1);
          const now = figures(busiest, 'requests');
          expect(Object.keys(now).length).toBeLessThanOrEqual(4);
          for (const [name, value] of Object.entries(now)) expect(value).toBeGreaterThanOrEqual(before[name] ?? 0);
          before = now;
        }
      }),
    );
  });
});
