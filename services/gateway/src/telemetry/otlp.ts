import { setTimeout as sleep } from 'node:timers/promises';
import { DiagLogLevel, diag, ROOT_CONTEXT, ValueType } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TracedRequest } from './describe-request.ts';
import type { Log } from './log.ts';
import type { Family, Series, Snapshot } from './registry.ts';
import { traceWith } from './trace.ts';

/**
 * What leaves the house by OTLP. Loaded only where somebody asked for it. Where it goes, with which headers, and in what time is read by
 * the exporters themselves (OTEL_EXPORTER_OTLP_*).
 */

/** Spans that wait to be sent; more are dropped. */
const QUEUE_MAX = 8_192;
/** What an attribute may have; a key has less. */
const VALUE_MAX_CHARACTERS = 4_096;
/** A round's span is linked with all of its writes'. */
const LINKS_MAX = 1_024;
/** What is left may take so long to be sent at the end. */
const END_MAX_MS = 2_000;
/** What the library complains of is logged, and then nothing for so long. */
const COMPLAINT_LOGGED_MS = 60_000;

export interface TraceOptions {
  /** The part of the requests without a trace of their own that is kept, 0 to 1. */
  readonly part: number;
  /** Whether who sends a trace along says if it is kept. */
  readonly parentDecides: boolean;
  /** How long spans may wait to be sent. */
  readonly delayMs: number;
}

/** Who sends it: attributes of the resource, such as service.instance.id. */
type Sender = Readonly<Record<string, string>>;

/** Switches tracing on. @returns what sends the rest, and ends */
export function startTraces(
  sender: Sender,
  { part, parentDecides, delayMs }: TraceOptions,
  log: Pick<Log, 'warn'>,
): () => Promise<void> {
  listenToLibrary(log);
  const exporter = new OTLPTraceExporter();
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: delayMs, maxQueueSize: QUEUE_MAX });
  const options = {
    resource: resourceOf(sender),
    spanProcessors: [processor],
    spanLimits: { attributeValueLengthLimit: VALUE_MAX_CHARACTERS, linkCountLimit: LINKS_MAX },
  };
  // What nobody began to trace is drawn for before there is a span: most of them then cost no more than the draw.
  const root = new AlwaysOnSampler();
  const ofTrace = new TraceIdRatioBasedSampler(part);
  const sampler = parentDecides
    ? new ParentBasedSampler({ root })
    : new ParentBasedSampler({ root, remoteParentSampled: ofTrace, remoteParentNotSampled: ofTrace });
  const requests = new TracerProvider({ ...options, sampler });
  const rounds = new TracerProvider({ ...options, sampler: new AlwaysOnSampler() });
  const propagator = new W3CTraceContextPropagator();
  const getter = {
    keys: () => [],
    get: (carrier: TracedRequest['headers'], name: string) => carrier.get(name),
  };
  traceWith({
    requests: requests.getTracer('tusk'),
    rounds: rounds.getTracer('tusk'),
    contextOf(carrier) {
      const sent = carrier.get('traceparent');
      const context = sent === undefined ? ROOT_CONTEXT : propagator.extract(ROOT_CONTEXT, carrier, getter);
      // One that cannot be read is none.
      return context !== ROOT_CONTEXT || Math.random() < part ? context : undefined;
    },
  });
  return () => Promise.race([processor.shutdown(), sleep(END_MAX_MS)]);
}

/** Sends what is counted, again and again. @returns what sends it once more, and ends */
export function startMetrics(
  sender: Sender,
  everyMs: number,
  families: readonly Family[],
  read: () => Promise<Snapshot>,
  log: Pick<Log, 'warn'>,
): () => Promise<void> {
  listenToLibrary(log);
  const exporter = new OTLPMetricExporter();
  const resource = resourceOf(sender);
  const startedMs = Date.now();
  const send = async (): Promise<void> => {
    const snapshot = await read();
    const times = { startTime: timeOf(startedMs), endTime: timeOf(Date.now()) };
    const metrics = families.map((family) => metricOf(family, snapshot[family.name] ?? [], times));
    const scopeMetrics = [
      { scope: { name: 'tusk' }, metrics: metrics.filter(({ dataPoints }) => dataPoints.length > 0) },
    ];
    await new Promise<void>((resolve) => exporter.export({ resource, scopeMetrics }, () => resolve()));
  };
  const timer = setInterval(() => void send(), everyMs);
  return async () => {
    clearInterval(timer);
    await Promise.race([send().then(() => exporter.shutdown()), sleep(END_MAX_MS)]);
  };
}

type Time = [seconds: number, nanoseconds: number];
type Times = { readonly startTime: Time; readonly endTime: Time };

function metricOf(family: Family, series: readonly Series[], times: Times): MetricData {
  const { name, help: description, labels } = family;
  const points = series.map((one) => ({
    ...times,
    attributes: Object.fromEntries(labels.map((label, at) => [label, one.labels[at] ?? ''])),
    value: one.value,
  }));
  const numbers = points.flatMap(({ value, ...point }) => (typeof value === 'number' ? [{ ...point, value }] : []));
  const common = {
    descriptor: { name, description, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  switch (family.kind) {
    case 'counter':
      return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers };
    case 'gauge':
      return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers };
    case 'histogram':
      return {
        ...common,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: points.flatMap(({ value, ...point }) => {
          if (typeof value === 'number') return [];
          const buckets = { boundaries: [...family.bounds], counts: [...value.counts] };
          const count = value.counts.reduce((sum, of) => sum + of, 0);
          return [{ ...point, value: { buckets, sum: value.sum, count } }];
        }),
      };
  }
}

/** It tells nobody of what cannot be sent but its own log. */
function listenToLibrary(log: Pick<Log, 'warn'>): void {
  let loggedMs = Number.NEGATIVE_INFINITY;
  const complain = (text: string): void => {
    if (performance.now() - loggedMs < COMPLAINT_LOGGED_MS) return;
    loggedMs = performance.now();
    log.warn({ cause: text }, 'telemetry cannot be exported');
  };
  const nothing = (): void => {};
  const logger = { error: complain, warn: complain, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

/** What the operator says of it comes first (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES). */
function resourceOf(sender: Sender): Resource {
  const said = detectResources({ detectors: [envDetector] });
  return resourceFromAttributes({ 'service.name': 'tusk', ...sender }).merge(said);
}

function timeOf(ms: number): Time {
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
}
