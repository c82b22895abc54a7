import { createLatencies, type Latencies } from './latencies.ts';
import type { CheckFigures, FaultFigures, Figures, OperationFigures, Point } from './result.ts';
import type { Sample } from './samples.ts';
import type { Totals } from './thresholds.ts';

/** Samples become figures as they come, and none of them is kept: a test of a day takes no more memory than one of five minutes. */
export interface Aggregate {
  add(sample: Sample): void;
  /** The newest span of time that is over; undefined as long as there is none. */
  newest(): Point | undefined;
  readonly totals: Totals;
  measured(): Measured;
}

export interface Measured {
  readonly beganMs: number;
  readonly seconds: number;
  readonly users: number;
  readonly total: Figures;
  readonly operations: readonly OperationFigures[];
  readonly points: readonly Point[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly checks: readonly CheckFigures[];
  readonly faults: readonly FaultFigures[];
}

/** Spans are as long at first; whenever there are more than so many, two become one. */
const FIRST_SPAN_MS = 1_000;
const SPANS_MAX = 300;

interface Tally {
  readonly latencies: Latencies;
  failed: number;
}

interface Span extends Tally {
  bytesIn: number;
  bytesOut: number;
  users: number;
}

export function createAggregate(): Aggregate {
  let beganMs: number | undefined;
  let lastMs = 0;
  let spanMs = FIRST_SPAN_MS;
  let spans: Span[] = [];
  let dropped = 0;
  let usersNow = 0;
  const total = newTally();
  const operations = new Map<string, Tally>();
  const checks = new Map<string, { passed: number; failed: number }>();
  const faults = new Map<string, { readonly fault: Omit<FaultFigures, 'count'>; count: number }>();

  const spanAt = (atMs: number): Span => {
    // The first sample is not the earliest one: they come in no order.
    beganMs ??= atMs;
    lastMs = Math.max(lastMs, atMs);
    while (atMs - beganMs >= spanMs * SPANS_MAX) {
      spans = pairs(spans);
      spanMs *= 2;
    }
    const number = Math.max(0, Math.floor((atMs - beganMs) / spanMs));
    while (spans.length <= number) spans.push({ ...newTally(), bytesIn: 0, bytesOut: 0, users: usersNow });
    return spans[number] as Span;
  };

  // One request alone took some time, too.
  const seconds = () => (beganMs === undefined ? 0 : Math.max(1, lastMs - beganMs) / 1000);

  function point(span: Span, number: number): Point {
    const fromMs = number * spanMs;
    const ms = Math.min(spanMs, lastMs - (beganMs ?? 0) - fromMs);
    const { bytesIn, bytesOut, users } = span;
    return { fromMs, ms, bytesIn, bytesOut, users, ...figuresOf(span) };
  }

  function addRequest({ atMs, value, name, status, errorCode }: Sample): void {
    spanAt(atMs).latencies.add(value);
    total.latencies.add(value);
    tallyOf(operations, name).latencies.add(value);
    if (errorCode === '') return;
    const fault = { operation: name, status: Number(status), code: Number(errorCode) };
    const key = `${name} ${status} ${errorCode}`;
    const seen = faults.get(key) ?? { fault, count: 0 };
    seen.count += 1;
    faults.set(key, seen);
  }

  function addFailure({ atMs, name }: Sample): void {
    spanAt(atMs).failed += 1;
    total.failed += 1;
    tallyOf(operations, name).failed += 1;
  }

  function addCheck({ check, value }: Sample): void {
    const seen = checks.get(check) ?? { passed: 0, failed: 0 };
    if (value === 1) seen.passed += 1;
    else seen.failed += 1;
    checks.set(check, seen);
  }

  const tallies = (operation: string | undefined) => (operation === undefined ? total : operations.get(operation));
  return {
    add(sample) {
      if (sample.metric === 'vus') {
        // It is told of setup and teardown, too, which have no span.
        usersNow = sample.value;
        const now = spans[Math.floor((sample.atMs - (beganMs ?? 0)) / spanMs)];
        if (now !== undefined) now.users = Math.max(now.users, usersNow);
        return;
      }
      if (sample.scenario === '') return;
      switch (sample.metric) {
        case 'http_req_duration':
          addRequest(sample);
          break;
        case 'http_req_failed':
          if (sample.value === 1) addFailure(sample);
          break;
        case 'checks':
          addCheck(sample);
          break;
        case 'data_received':
          spanAt(sample.atMs).bytesIn += sample.value;
          break;
        case 'data_sent':
          spanAt(sample.atMs).bytesOut += sample.value;
          break;
        case 'dropped_iterations':
          dropped += sample.value;
          break;
      }
    },

    newest() {
      const span = spans.at(-2);
      return span && point(span, spans.length - 2);
    },

    totals: {
      checksPassed() {
        const all = [...checks.values()];
        const passed = sum(all, (check) => check.passed);
        const failed = sum(all, (check) => check.failed);
        return passed + failed === 0 ? undefined : passed / (passed + failed);
      },
      failed(operation) {
        const tally = tallies(operation);
        return tally === undefined || requestsOf(tally) === 0 ? undefined : tally.failed / requestsOf(tally);
      },
      percentileMs: (percent, operation) => tallies(operation)?.latencies.percentile(percent),
      droppedPerSecond: () => (dropped === 0 ? 0 : dropped / seconds()),
    },

    measured: () => ({
      beganMs: beganMs ?? 0,
      seconds: seconds(),
      users: Math.max(0, ...spans.map(({ users }) => users)),
      total: figuresOf(total),
      operations: [...operations].map(([name, tally]) => ({ name, ...figuresOf(tally) })),
      points: spans.map(point).filter(({ ms }) => ms >= spanMs / 4),
      bytesIn: sum(spans, ({ bytesIn }) => bytesIn),
      bytesOut: sum(spans, ({ bytesOut }) => bytesOut),
      checks: [...checks].map(([name, { passed, failed }]) => ({ name, passed, failed })),
      faults: [...faults.values()].map(({ fault, count }) => ({ ...fault, count })),
    }),
  };
}

function newTally(): Tally {
  return { latencies: createLatencies(), failed: 0 };
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  const tally = tallies.get(name) ?? newTally();
  tallies.set(name, tally);
  return tally;
}

function requestsOf({ latencies }: Tally): number {
  return latencies.histogram.count;
}

function figuresOf({ latencies, failed }: Tally): Figures {
  const [p50Ms, p95Ms, p99Ms, longestMs] = [50, 95, 99, 100].map((percent) => latencies.percentile(percent));
  return { requests: latencies.histogram.count, failed, p50Ms, p95Ms, p99Ms, longestMs };
}

/** Each two that follow each other as one. */
function pairs(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (let at = 0; at < spans.length; at += 2) {
    const [first, second] = [spans[at] as Span, spans[at + 1]];
    joined.push(first);
    if (second === undefined) break;
    first.latencies.addAll(second.latencies);
    first.failed += second.failed;
    first.bytesIn += second.bytesIn;
    first.bytesOut += second.bytesOut;
    first.users = Math.max(first.users, second.users);
  }
  return joined;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
