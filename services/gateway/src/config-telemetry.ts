import { randomUUID } from 'node:crypto';

/**
 * Where telemetry is sent: the standard settings of OpenTelemetry. Where to, with which headers and how long that may take is read by its
 * library itself. Source: OpenTelemetry specification, "Environment Variable Specification" and "OpenTelemetry Protocol Exporter".
 */
export interface TelemetryConfig {
  /** undefined: nobody wants traces. */
  readonly traces: TraceConfig | undefined;
  /** How often metrics are sent; undefined: nobody wants them. */
  readonly metricsEveryMs: number | undefined;
  /** By which all that is sent is known to be of one gateway. */
  readonly instanceId: string;
}

export interface TraceConfig {
  /** What becomes of a request that no trace leads to. */
  readonly part: number;
  /** Whether who sends a trace along says if it is kept. */
  readonly parentDecides: boolean;
  readonly delayMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Signal = 'TRACES' | 'METRICS';

const PROTOCOL = 'http/protobuf';
const SAMPLER = /^(parentbased_)?(always_on|always_off|traceidratio)$/;

/** @param problems gets a line for each setting that cannot be what it says */
export function readTelemetry(env: Environment, problems: string[]): TelemetryConfig {
  const own: string[] = [];
  const traces = isWanted('TRACES', env, own) ? readTraces(env, own) : undefined;
  const metricsEveryMs = isWanted('METRICS', env, own)
    ? milliseconds(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000, own)
    : undefined;
  // What is wrong for both is said once.
  problems.push(...new Set(own));
  return { traces, metricsEveryMs, instanceId: randomUUID() };
}

function isWanted(signal: Signal, env: Environment, problems: string[]): boolean {
  const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const exporter = env[`OTEL_${signal}_EXPORTER`] || 'otlp';
  const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] || env['OTEL_EXPORTER_OTLP_PROTOCOL'] || PROTOCOL;
  if (!endpoint || exporter === 'none' || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  if (exporter !== 'otlp') problems.push(`OTEL_${signal}_EXPORTER: must be otlp or none`);
  if (protocol !== PROTOCOL) problems.push(`OTEL_EXPORTER_OTLP_PROTOCOL: must be ${PROTOCOL}`);
  if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint)) {
    problems.push('OTEL_EXPORTER_OTLP_ENDPOINT: must be http://host:port or https://host:port');
  }
  return true;
}

function readTraces(env: Environment, problems: string[]): TraceConfig {
  const sampler = SAMPLER.exec(env['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on');
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG'] || 1);
  if (sampler === null) {
    problems.push(
      'OTEL_TRACES_SAMPLER: must be always_on, always_off or traceidratio, or one of them after parentbased_',
    );
  }
  if (!(ratio >= 0 && ratio <= 1)) problems.push('OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1');
  const [, parentDecides, root] = sampler ?? [];
  return {
    part: root === 'always_off' ? 0 : root === 'traceidratio' ? ratio : 1,
    parentDecides: parentDecides !== undefined,
    delayMs: milliseconds(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000, problems),
  };
}

function milliseconds(env: Environment, name: string, fallback: number, problems: string[]): number {
  const text = env[name] || String(fallback);
  if (!/^[1-9]\d{0,6}$/.test(text)) problems.push(`${name}: must be a whole number of milliseconds`);
  return Number(text);
}
