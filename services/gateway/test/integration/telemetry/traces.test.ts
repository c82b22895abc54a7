// One trace from the client through the gateway to pachd, and nothing in it that is secret.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket } from '../../support/buckets.ts';
import { sampleBytes } from '../../support/clients.ts';
import { type Collector, type ExportedSpan, startCollector } from '../../support/collector.ts';
import { type Devpachd, startDevpachd } from '../../support/devpachd.ts';
import { eventually } from '../../support/eventually.ts';
import { type Relay, startRelay } from '../../support/grpc-relay.ts';
import { type Answer, type SendOptions, send } from '../../support/http.ts';
import { scrape } from '../../support/metrics.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { keyOf } from '../../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../../support/tusk.ts';
import { element } from '../../support/uploads.ts';

const ROOT = keyOf(ROOT_TOKEN);
const [SERVER, CLIENT] = [2, 3];
const FAILED = 2;

let dataDir: string;
let collector: Collector;
let redis: RedisServer;
let devpachd: Devpachd;
let relay: Relay;
let tusk: Tusk;
let bucket: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tusk-traces-'));
  collector = await startCollector();
  redis = await startRedis();
  devpachd = await startDevpachd({ auth: true, dataDir, seed: true });
  relay = await startRelay(devpachd.address);
  tusk = await startTusk({
    pachd: relay.address,
    env: {
      TUSK_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      TUSK_CACHE_SECRET: 'a secret of the tests',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
      OTEL_SERVICE_NAME: 'gateway-under-test',
      // What clients want traced, and nothing else.
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    },
  });
  bucket = await freshBucket(tusk, ROOT);
});
afterAll(async () => {
  await tusk.stop();
  await relay.stop();
  await devpachd.stop();
  await redis.stop();
  await collector.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Sends a request that its client traces, and waits for the spans of that trace. */
async function traced(method: string, path: string, options: SendOptions = {}) {
  const traceId = randomBytes(16).toString('hex');
  const parentId = randomBytes(8).toString('hex');
  const headers = {
    ...options.headers,
    traceparent: `00-${traceId}-${parentId}-01`,
    tracestate: 'vendor=of-the-client',
    'x-request-id': `sent-${parentId}`,
  };
  const answer = await send(tusk.url, method, path, { key: ROOT, ...options, headers });
  const spans = await eventually(
    'the spans are exported',
    () => collector.spans().filter((span) => span.traceId === traceId),
    (found) => found.some(({ kind }) => kind === SERVER),
  );
  const server = spans.find(({ kind }) => kind === SERVER)!;
  return { traceId, parentId, answer, spans, server };
}

const named = (spans: readonly ExportedSpan[], name: string | RegExp) =>
  spans.filter((span) => (typeof name === 'string' ? span.name === name : name.test(span.name)));

describe('a read', () => {
  it('is a part of its client’s trace, down to pachd', async () => {
    const path = `/${bucket}/large`;
    await send(tusk.url, 'PUT', path, { key: ROOT, body: sampleBytes(2 << 20) });
    const callsBefore = relay.calls().length;
    const { traceId, parentId, answer, spans, server } = await traced('GET', path);
    expect(answer.body.length).toBe(2 << 20);
    expect(server).toMatchObject({
      name: 'GetObject',
      parentSpanId: parentId,
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'http.response.body.size': 2 << 20,
        'url.path': path,
        'rpc.system': 'aws-api',
        'rpc.method': 'GetObject',
        'aws.s3.bucket': bucket,
        'aws.s3.key': 'large',
        'aws.request_id': answer.headers['x-amz-request-id'],
        'http.request.header.x-request-id': `sent-${parentId}`,
      },
    });
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const isBelow = ({ parentSpanId }: ExportedSpan): boolean =>
      parentSpanId === server.spanId || isBelow(byId.get(parentSpanId)!);
    for (const span of spans) if (span !== server) expect(isBelow(span), span.name).toBe(true);
    for (const name of ['authenticate', 'resolve head', 'redis read', 'pfs_v2.API/GetFile']) {
      expect(named(spans, name).length, name).toBeGreaterThan(0);
    }
    const [content] = named(spans, 'pfs_v2.API/GetFile');
    const [host, port] = relay.address.split(':');
    expect(content).toMatchObject({
      kind: CLIENT,
      attributes: {
        'rpc.system': 'grpc',
        'rpc.method': 'GetFile',
        'server.address': host,
        'server.port': Number(port),
        'rpc.grpc.status_code': 0,
        'tusk.attempt': 'call',
        'tusk.attempt.number': 1,
      },
    });
    const heard = relay
      .calls()
      .slice(callsBefore)
      .filter(({ metadata }) => metadata['traceparent'] !== undefined);
    // By the library for most calls, and without one for content.
    const [ofContent] = heard.filter(({ method }) => method === 'GetFile');
    expect(ofContent?.metadata['traceparent']).toBe(`00-${traceId}-${content?.spanId}-01`);
    expect(heard.length).toBe(named(spans, /^(pfs|auth)_v2\.API/).length);
    for (const { metadata } of heard) {
      expect(metadata['traceparent']).toContain(traceId);
      expect(metadata['tracestate']).toBe('vendor=of-the-client');
    }
  });

  it('that goes wrong says so, and its ids lead to one another', async () => {
    const { answer, server, traceId, parentId } = await traced('GET', `/${bucket}/not-there`);
    expect(server).toMatchObject({ name: 'GetObject', status: 0, attributes: { 'error.type': 'NoSuchKey' } });
    const requestId = answer.headers['x-amz-request-id'] ?? '';
    const line = await eventually(
      'the line is written',
      () =>
        tusk.program
          .output()
          .split('\n')
          .find((text) => text.includes(requestId)) ?? '',
      (text) => text !== '',
    );
    expect(JSON.parse(line)).toMatchObject({ requestId, sentId: `sent-${parentId}`, traceId });
  });

  it('that nobody traces leaves no span, and pachd hears of none', async () => {
    const callsBefore = relay.calls().length;
    const spansBefore = collector.spans().length;
    await send(tusk.url, 'GET', `/${bucket}/untraced`, { key: ROOT });
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-00`;
    await send(tusk.url, 'GET', `/${bucket}/not-sampled`, { key: ROOT, headers: { traceparent } });
    // What comes after it is exported later, so by then it would be there.
    await traced('HEAD', `/${bucket}/untraced`);
    const names = collector
      .spans()
      .slice(spansBefore)
      .filter(({ kind }) => kind === SERVER)
      .map(({ name }) => name);
    expect(names).toEqual(['HeadObject']);
    expect(relay.calls().length).toBeGreaterThan(callsBefore);
    expect(collector.spans().some(({ traceId }) => traceId === 'ab'.repeat(16))).toBe(false);
  });
});

it('parts of uploads say of which, and copies of what', async () => {
  const created = await traced('POST', `/${bucket}/upload`, { query: [['uploads', '']] });
  const uploadId = element(created.answer.text, 'UploadId');
  const query = [['uploadId', uploadId] as const];
  const part = await traced('PUT', `/${bucket}/upload`, { query: [...query, ['partNumber', '7']], body: 'part' });
  expect(part.server).toMatchObject({
    name: 'UploadPart',
    attributes: { 'aws.s3.upload_id': uploadId, 'aws.s3.part_number': 7, 'url.scheme': 'http' },
  });
  const aborted = await traced('DELETE', `/${bucket}/upload`, { query });
  expect(aborted.server.attributes).toMatchObject({ 'aws.s3.upload_id': uploadId });
  expect(aborted.server.attributes).not.toHaveProperty('aws.s3.part_number');
  const source = `/${bucket}/large`;
  const copied = await traced('PUT', `/${bucket}/copy`, { headers: { 'x-amz-copy-source': source } });
  expect(copied.server).toMatchObject({ name: 'CopyObject', attributes: { 'aws.s3.copy_source': source } });
});

it('a method that nobody knows is told as such', async () => {
  const { server } = await traced('PROPFIND', `/${bucket}/key`);
  expect(server.attributes).toMatchObject({
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PROPFIND',
  });
});

it('writes are linked with the round that made them, and it with them', async () => {
  const writes = await Promise.all(
    ['one', 'two', 'three'].map((key) => traced('PUT', `/${bucket}/${key}`, { body: key })),
  );
  const rounds = await eventually(
    'the rounds are exported',
    () => named(collector.spans(), 'round'),
    (found) => found.reduce((sum, { links }) => sum + links.length, 0) >= 3,
  );
  for (const { spans, traceId } of writes) {
    const [wait] = named(spans, 'wait for round');
    const [link] = wait?.links ?? [];
    const round = rounds.find(({ spanId, traceId: id }) => spanId === link?.spanId && id === link?.traceId);
    expect(round?.links).toContainEqual({ traceId, spanId: wait?.spanId });
    expect(round?.traceId).not.toBe(traceId);
    const below = collector.spans().filter(({ traceId: id }) => id === round?.traceId);
    expect(named(below, 'pfs_v2.API/ModifyFile')).toHaveLength(1);
    expect(named(below, 'redis publish')).toHaveLength(1);
  }
});

it('a call that fails is told of with each of its tries', async () => {
  await devpachd.program.signal('SIGSTOP');
  try {
    const { answer, spans, server } = await traced('HEAD', '/master.nobody-asked.default');
    expect(answer.status).toBe(503);
    expect(server.status).toBe(FAILED);
    expect(named(spans, /_v2\.API/).some(({ status }) => status === FAILED)).toBe(true);
  } finally {
    await devpachd.program.signal('SIGCONT');
  }
});

it('metrics lead to traces, and are exported as well', async () => {
  const { traceId } = await traced('GET', `/${bucket}/large`);
  const { traceId: ofWrite } = await traced('PUT', `/${bucket}/counted`, { body: 'x' });
  const { text } = await scrape(tusk, 'application/openmetrics-text');
  expect(text).toMatch(new RegExp(`^tusk_write_acknowledge_seconds_bucket.*# \\{trace_id="${ofWrite}"\\}`, 'm'));
  for (const metric of ['tusk_request_duration_seconds', 'tusk_request_answer_seconds']) {
    expect(text).toMatch(new RegExp(`^${metric}_bucket\\{operation="GetObject".*# \\{trace_id="${traceId}"\\}`, 'm'));
  }
  const exported = await eventually(
    'metrics are exported',
    () => collector.bodies('/v1/metrics').map(String).join('\n'),
    (bodies) => bodies.includes('tusk_requests_total'),
  );
  expect(exported).toContain('gateway-under-test');
  expect(exported).toContain('tusk_request_duration_seconds');
});

it('no token, signature or query is exported, logged or counted', async () => {
  const unknown = keyOf('0123456789abcdef0123456789abcdef');
  const secrets = [ROOT_TOKEN, unknown.accessKey];
  const answers: Answer[] = [];
  for (const key of [ROOT, unknown]) {
    for (const signing of ['v4', 'presign-v4', 'v2', 'presign-v2', 'v4-streaming'] as const) {
      for (const method of ['PUT', 'GET']) {
        const { answer } = await traced(method, `/${bucket}/secret`, {
          key,
          signing,
          ...(method === 'PUT' ? { body: 'x' } : {}),
        });
        answers.push(answer);
      }
    }
  }
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]));
  const written = [
    ...collector.bodies('/v1/traces'),
    ...collector.bodies('/v1/metrics'),
    tusk.program.output(),
    (await scrape(tusk)).text,
    (await scrape(tusk, 'application/openmetrics-text')).text,
    await (await fetch(`${tusk.adminUrl}/status.json`)).text(),
    await (await fetch(`${tusk.adminUrl}/`)).text(),
  ]
    .map(String)
    .join('\n');
  expect(written).toContain(`/${bucket}/secret`);
  for (const secret of secrets) expect(written.includes(secret), secret).toBe(false);
  expect(written).not.toMatch(/Signature=|X-Amz-Credential|AWSAccessKeyId/i);
});
