import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('where telemetry goes', () => {
  const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  const telemetryOf = (env: Record<string, string>) => readConfig(env).telemetry;

  it('is nowhere unless it is said', () => {
    expect(telemetryOf({ OTEL_TRACES_SAMPLER: 'always_on' })).toMatchObject({
      traces: undefined,
      metricsEveryMs: undefined,
    });
    expect(telemetryOf({ ...OTLP, OTEL_SDK_DISABLED: 'true' })).toMatchObject({
      traces: undefined,
      metricsEveryMs: undefined,
    });
  });

  it('is the endpoint of both, or of one', () => {
    expect(telemetryOf(OTLP)).toMatchObject({
      traces: { part: 1, parentDecides: true, delayMs: 5_000 },
      metricsEveryMs: 60_000,
    });
    expect(telemetryOf({ ...OTLP, OTEL_METRICS_EXPORTER: 'none' }).metricsEveryMs).toBeUndefined();
    expect(telemetryOf({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c:1/v1/metrics' }).traces).toBeUndefined();
  });

  it.each([
    ['parentbased_traceidratio', '0.01', { part: 0.01, parentDecides: true }],
    ['traceidratio', '0.5', { part: 0.5, parentDecides: false }],
    ['parentbased_always_off', '', { part: 0, parentDecides: true }],
    ['always_on', '0.5', { part: 1, parentDecides: false }],
  ])('traces are kept as %s %s says', (sampler, part, traces) => {
    const env = { ...OTLP, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: part };
    expect(telemetryOf(env).traces).toMatchObject(traces);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '0'],
    ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
  ])('%s must not be %s', (name, value) => {
    const problems = problemsOf({ ...OTLP, [name]: value });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: must be`))]);
  });
});

describe('the settings', () => {
  it('have a default each', () => {
    const config = readConfig({ PATH: '/bin' });
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 30600 },
      adminListen: { host: '127.0.0.1', port: 30601 },
      pachd: [],
      workers: 1,
      headTtlMs: 1000,
      dataDir: '.tusk',
    });
    expect(config.cacheSecret).toHaveLength(64);
  });

  it('are read from the environment', () => {
    const config = readConfig({
      TUSK_LISTEN: '[::1]:8080',
      TUSK_PACHD: 'grpc://pachd-0:1650, grpcs://pachd-1:1650',
      TUSK_DOMAINS: 's3.example.com, S3.Internal',
      TUSK_ACCESS_LOG: 'off',
    });
    expect(config.listen).toEqual({ host: '::1', port: 8080 });
    expect(config.pachd).toEqual([
      { host: 'pachd-0', port: 1650, tls: false },
      { host: 'pachd-1', port: 1650, tls: true },
    ]);
    expect(config.domains).toEqual(['s3.example.com', 's3.internal']);
    expect(config.accessLog).toBe(false);
  });

  it('are refused all at once, one line each, and without what was given', () => {
    const problems = problemsOf({
      TUSK_LISTEN: 'nowhere',
      TUSK_WORKERS: '0',
      TUSK_CACHE_SECRET: 'too short',
      TUSK_LOG_LEVEL: 'loud',
      TUSK_LISTENS: 'typo',
      TUSK_TLS_CERT: 'cert.pem',
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).not.toMatch(/too short|nowhere|typo|loud/);
    for (const problem of problems) expect(problem).toMatch(/^TUSK_\w+[: ]/);
  });

  it.each([
    ['pachd-0:1650', 'grpc://host:port'],
    ['grpc://pachd-0', 'host:port'],
    ['grpc://pachd-0:1650,', 'grpc://host:port'],
    ['grpc://pachd-0:1650,grpcs://PACHD-0:1650', 'twice'],
    [Array.from({ length: 65 }, (_, number) => `grpc://pachd-${number}:1650`).join(), '64'],
  ])('refuse %.60s as pachds', (given, why) => {
    expect(problemsOf({ TUSK_PACHD: given })).toEqual([expect.stringContaining(why)]);
  });

  it.each(['0', '1.5', '-0.1', '10 %', '1e-3', '.'])(
    'refuse %s as the part of the requests that are logged',
    (given) => {
      expect(problemsOf({ TUSK_LOG_SAMPLE: given })).toEqual([expect.stringContaining('above 0, up to 1')]);
    },
  );

  it.each([
    ['', 1],
    ['1', 1],
    ['0.01', 0.01],
    ['.5', 0.5],
  ])('take "%s" as the part of the requests that are logged', (given, part) => {
    expect(readConfig({ TUSK_LOG_SAMPLE: given }).logSample).toBe(part);
  });

  it('take pachds by IPv6 address', () => {
    expect(readConfig({ TUSK_PACHD: 'grpc://[fd00::1]:1650' }).pachd).toEqual([
      { host: 'fd00::1', port: 1650, tls: false },
    ]);
  });

  it('refuse workers that would not see what another wrote', () => {
    expect(problemsOf({ TUSK_WORKERS: '2' })).toEqual([expect.stringContaining('TUSK_REDIS_URL')]);
  });
});
