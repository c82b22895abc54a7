// The study of scale: its mathematics against what is known in closed form, and its document against its figures.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linearMarks, logMarks, svgOf } from '../../loadtest/scale/chart.ts';
import { CHARTS_FOLDER, DOCUMENT_FILE, written } from '../../loadtest/scale/document.ts';
import { FIGURES_FILE, type Figures } from '../../loadtest/scale/figures.ts';
import { fitLine, onLine } from '../../loadtest/scale/fit.ts';
import { delay, type Station, servers, solve } from '../../loadtest/scale/queueing.ts';
import { createRandom } from '../../loadtest/scale/random.ts';
import { predictWrites, type Rounds, simulateWrites } from '../../loadtest/scale/rounds.ts';
import { simulate } from '../../loadtest/scale/simulation.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';

/** Mean value analysis itself, for queues of one server and delays. */
function meanValueAnalysis(
  stations: readonly { readonly seconds: number; readonly isDelay: boolean }[],
  clients: number,
): number {
  let lengths = stations.map(() => 0);
  let perSecond = 0;
  for (let present = 1; present <= clients; present++) {
    const waits = stations.map(({ seconds, isDelay }, at) => seconds * (isDelay ? 1 : 1 + (lengths[at] ?? 0)));
    perSecond = present / waits.reduce((sum, wait) => sum + wait, 0);
    lengths = waits.map((wait) => wait * perSecond);
  }
  return perSecond;
}

describe('a closed network', () => {
  it.each([1, 2, 5, 50, 2_000])('of equal queues with %i clients is what is known of it', (clients) => {
    const stations = ['a', 'b', 'c'].map((name) => servers(name, 0.01, 1));
    expect(solve(stations, clients).perSecond).toBeCloseTo(clients / (0.01 * (clients + 2)), 6);
  });

  it.each([1, 3, 20, 300])('of queues and a delay with %i clients is what mean value analysis gives', (clients) => {
    const seconds = [0.003, 0.008, 0.0001];
    const stations = [...seconds.map((each, at) => servers(`${at}`, each, 1)), delay('z', 0.2)];
    const known = meanValueAnalysis(
      [...seconds.map((each) => ({ seconds: each, isDelay: false })), { seconds: 0.2, isDelay: true }],
      clients,
    );
    const solved = solve(stations, clients);
    expect(solved.perSecond / known).toBeCloseTo(1, 9);
    expect(solved.seconds * solved.perSecond).toBeCloseTo(clients, 6);
  });

  it('of machines that break and two who repair them is what is known of it', () => {
    const [machines, repairers, upSeconds, repairSeconds] = [5, 2, 10, 3];
    // Source: the machine repair model, M/M/c//N; what part of the time so many are broken.
    let [weight, sum, repaired] = [1, 1, 0];
    for (let broken = 1; broken <= machines; broken++) {
      weight *= ((machines - broken + 1) / upSeconds) * (repairSeconds / Math.min(broken, repairers));
      sum += weight;
      repaired += (weight * Math.min(broken, repairers)) / repairSeconds;
    }
    const { perSecond } = solve([delay('up', upSeconds), servers('repair', repairSeconds, repairers)], machines);
    expect(perSecond).toBeCloseTo(repaired / sum, 9);
  });

  it('of many servers and thousands of clients keeps its digits, and is bound by the slowest', () => {
    const stations: readonly Station[] = [
      servers('balancer', 40e-6, 4),
      servers('gateways', 100e-6, 64),
      servers('redis', 6e-6, 1),
    ];
    const { perSecond } = solve(stations, 2_048);
    expect(perSecond).toBeGreaterThan(99_000);
    expect(perSecond).toBeLessThanOrEqual(100_000 + 1e-3);
  });

  it('of nothing is refused', () => {
    expect(() => solve([servers('a', 0, 1)], 1)).toThrow('nothing takes any time');
  });
});

describe('the simulation', () => {
  const own = (cores: number, threads: number) => ({ machine: { cores }, threads });

  it.each([1, 4, 40])('of what the network can say gives what it says, with %i clients', (clients) => {
    const stations = [servers('a', 0.004, 2), servers('b', 0.003, 1), delay('c', 0.02)];
    const steps = [
      { of: [own(2, 2)], seconds: 0.004 },
      { of: [own(1, 1)], seconds: 0.003 },
      { of: [own(clients, clients)], seconds: 0.02 },
    ];
    const { perSecond, seconds } = simulate({ clients, steps, requests: 40_000, seed: 1, phases: 1 });
    const solved = solve(stations, clients);
    expect(Math.abs(perSecond / solved.perSecond - 1)).toBeLessThan(0.02);
    expect(Math.abs(seconds / solved.seconds - 1)).toBeLessThan(0.02);
  });

  it('lets threads that are more than the cores share them', () => {
    const machine = { cores: 1.5 };
    const of = Array.from({ length: 4 }, () => ({ machine, threads: 1 }));
    const { perSecond } = simulate({
      clients: 16,
      steps: [{ of, seconds: 0.01 }],
      requests: 20_000,
      seed: 1,
      phases: 4,
    });
    expect(Math.abs(perSecond / 150 - 1)).toBeLessThan(0.02);
  });

  it('does a step for the part of the requests that need it', () => {
    const steps = [
      { of: [own(1, 1)], seconds: 0.01, part: 0.25 },
      { of: [own(1, 1)], seconds: 0.001 },
    ];
    const { perSecond } = simulate({ clients: 50, steps, requests: 20_000, seed: 1, phases: 4 });
    expect(Math.abs(perSecond / 400 - 1)).toBeLessThan(0.05);
  });

  it('is the same for the same seed', () => {
    const run = (seed: number) =>
      simulate({ clients: 3, steps: [{ of: [own(1, 1)], seconds: 1 }], requests: 1_000, seed, phases: 1 });
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });
});

describe('numbers that look drawn by chance', () => {
  it('have the mean and the spread that they should', () => {
    const random = createRandom(3);
    for (const phases of [1, 4]) {
      const drawn = Array.from({ length: 50_000 }, () => random.erlang(2, phases));
      const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length;
      const variance = drawn.reduce((sum, each) => sum + (each - mean) ** 2, 0) / drawn.length;
      expect(Math.abs(mean / 2 - 1)).toBeLessThan(0.03);
      expect(Math.abs(variance / (4 / phases) - 1)).toBeLessThan(0.06);
    }
  });
});

describe('rounds of writes', () => {
  const rounds: Rounds = {
    branches: 1,
    writers: 64,
    roundSeconds: (writes) => 0.1 + 0.001 * writes,
    finishSeconds: (repos) => 0.5 * repos,
    writesMax: 1_024,
    pendingMax: 4,
  };

  it('are as fast as pachd finishes commits, with all writers of a branch in each', () => {
    expect(predictWrites(rounds)).toEqual({ perSecond: 128, commitsPerSecond: 2, seconds: 0.5 });
    expect(predictWrites({ ...rounds, branches: 4 })).toEqual({ perSecond: 32, commitsPerSecond: 2, seconds: 2 });
  });

  it('are as fast as they are made where pachd is faster', () => {
    const { perSecond } = predictWrites({ ...rounds, finishSeconds: () => 0.01 });
    expect(perSecond).toBeCloseTo(64 / 0.164, 9);
  });

  it('take no more than they may, and the others wait for the next', () => {
    expect(predictWrites({ ...rounds, writers: 2_048 })).toMatchObject({ commitsPerSecond: 1 / 1.124, seconds: 2.248 });
  });

  it.each([
    { branches: 1, writers: 64 },
    { branches: 4, writers: 64 },
    { branches: 1, writers: 1 },
    { branches: 8, writers: 512 },
    { branches: 1, writers: 2_048 },
  ])('of %j are simulated as they are predicted', (shape) => {
    const given = { ...rounds, ...shape };
    const simulated = simulateWrites(given, { seconds: 2_000, seed: 5 });
    const predicted = predictWrites(given);
    expect(Math.abs(simulated.perSecond / predicted.perSecond - 1)).toBeLessThan(0.05);
    expect(Math.abs(simulated.commitsPerSecond / predicted.commitsPerSecond - 1)).toBeLessThan(0.05);
    expect(Math.abs(simulated.seconds / predicted.seconds - 1)).toBeLessThan(0.05);
  });
});

describe('a line', () => {
  it('is that of points on it, and between those that are not', () => {
    const line = fitLine([
      [0, 3],
      [2, 7],
      [5, 13],
    ]);
    expect(line.at0).toBeCloseTo(3, 9);
    expect(onLine(line, 10)).toBeCloseTo(23, 9);
    // A tenth too much of a small value counts as much as of a large one.
    const relative = fitLine([
      [1, 1.1],
      [1, 0.9],
      [2, 110],
      [2, 90],
    ]);
    expect(onLine(relative, 1)).toBeCloseTo(0.99, 1);
    expect(onLine(relative, 2)).toBeCloseTo(98, 0);
    const between = fitLine([
      [1, 9],
      [1, 11],
      [2, 20],
    ]);
    expect(onLine(between, 1)).toBeGreaterThan(9);
    expect(onLine(between, 1)).toBeLessThan(11);
  });

  it('needs two points', () => {
    expect(() => fitLine([[1, 2]])).toThrow('two points');
  });
});

describe('docs/scale.md', () => {
  const read = (file: string) => readFile(join(ROOT, file), 'utf8');

  it('and its plots say what follows from its figures', async () => {
    const [figures, document] = [JSON.parse(await read(FIGURES_FILE)), await read(DOCUMENT_FILE)];
    const made = written(figures, document);
    expect(document).toBe(made.document);
    for (const [name, svg] of made.charts) expect(await read(join(CHARTS_FOLDER, name)), name).toBe(svg);
    const shown = [...document.matchAll(/\]\(scale\/(.*?)\)/g)].map(([, name]) => name);
    expect(shown.toSorted()).toEqual([...made.charts.keys()].toSorted());
  });

  it('has figures that were measured, of 1, 2 and 4 workers', async () => {
    const { hotReads, coldReads, writes } = JSON.parse(await read(FIGURES_FILE)) as Figures;
    for (const rows of [hotReads, coldReads, writes]) {
      expect(new Set(rows.map(({ workers }) => workers))).toEqual(new Set([1, 2, 4]));
      for (const { perSecond, costUs } of rows)
        for (const value of [perSecond, ...Object.values(costUs)]) expect(value).toBeGreaterThanOrEqual(0);
    }
  });

  it('has plots for light and for dark', async () => {
    const svg = svgOf({
      title: 'a < b & "c"',
      x: { title: 'x', scale: 'log', marks: [1, 2, 4] },
      y: { title: 'y', scale: 'linear', marks: linearMarks([90]) },
      series: [{ name: 'one', look: 'dots', colour: 'a', points: [[2, 50]] }],
    });
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
    // Half the way on a logarithmic axis, and half on a linear one that ends at 100.
    const [, x, y] = /<circle cx="([\d.]+)" cy="([\d.]+)" r="4.5"\/><\/g>/.exec(svg) ?? [];
    expect([Number(x), Number(y)]).toEqual([416, 224]);
  });

  it.each([
    { values: [3, 70], marks: [2, 5, 10, 20, 50, 100] },
    { values: [0.02, 900], marks: [0.01, 0.1, 1, 10, 100, 1_000] },
    { values: [7, 7], marks: [5, 10] },
  ])('has axes of round numbers around $values', ({ values, marks }) => {
    expect(logMarks(values)).toEqual(marks);
  });
});
