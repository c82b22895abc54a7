// One request from a client through HAProxy, a gateway and pachd: its ids lead to one another, and nothing that anybody writes is secret.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDebug } from '../../services/gateway/test/integration/devpachd-debug.ts';
import { freshBucketName } from '../../services/gateway/test/support/buckets.ts';
import { type Collector, type ExportedSpan, startCollector } from '../../services/gateway/test/support/collector.ts';
import { type Devpachd, startDevpachd } from '../../services/gateway/test/support/devpachd.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { type Relay, startRelay } from '../../services/gateway/test/support/grpc-relay.ts';
import { type SendOptions, send } from '../../services/gateway/test/support/http.ts';
import { scrape } from '../../services/gateway/test/support/metrics.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN } from '../cluster/cluster.ts';
import { type Fleet, startFleet } from './fleet.ts';

const ROOT = keyOf(ROOT_TOKEN);
const [SERVER, CLIENT] = [2, 3];
const UNAVAILABLE = 14;

let dataDir: string;
let collector: Collector;
let pachds: readonly Devpachd[];
let relays: readonly Relay[];
let fleet: Fleet;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tusk-traces-'));
  collector = await startCollector();
  const first = await startDevpachd({ dataDir, auth: true, seed: true });
  pachds = [first, await startDevpachd({ dataDir, auth: true, faultControl: true })];
  relays = await Promise.all(pachds.map(({ address }) => startRelay(address)));
  fleet = await startFleet({
    pachds: 0,
    workers: 1,
    gatewayEnv: {
      TUSK_PACHD: relays.map(({ address }) => `grpc://${address}`).join(),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    },
  });
});
afterAll(async () => {
  await fleet?.stop();
  await Promise.all((relays ?? []).map((relay) => relay.stop()));
  await Promise.all((pachds ?? []).map((pachd) => pachd.stop()));
  await collector?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const gatewayLogs = async (): Promise<string> =>
  (await Promise.all(fleet.gateways.map(({ logFile }) => readFile(logFile, 'utf8')))).join('\n');
const heard = () => relays.flatMap((relay) => relay.calls());
const ofTrace = (traceId: string): readonly ExportedSpan[] =>
  collector.spans().filter((span) => span.traceId === traceId);

/** Sends a request that its client traces, and waits for the spans of that trace. */
async function traced(method: string, path: string, options: SendOptions = {}) {
  const [traceId, parentId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const headers = {
    ...options.headers,
    traceparent: `00-${traceId}-${parentId}-01`,
    tracestate: 'vendor=of-the-client',
  };
  const answer = await send(fleet.url, method, path, { key: ROOT, ...options, headers });
  const spans = await eventually(
    'the spans are exported',
    () => ofTrace(traceId),
    (found) => found.some(({ kind }) => kind === SERVER),
  );
  const server = spans.find(({ kind }) => kind === SERVER)!;
  return { traceId, parentId, answer, spans, server };
}

async function makeBucket(): Promise<string> {
  const bucket = freshBucketName();
  expect((await send(fleet.url, 'PUT', `/${bucket}`, { key: ROOT })).status).toBe(200);
  return bucket;
}

it('HAProxy’s line, the gateway’s line and the trace lead to one another, by any of their ids', async () => {
  const path = `/${await makeBucket()}/key`;
  await send(fleet.url, 'PUT', path, { key: ROOT, body: 'content' });
  const { traceId, answer, server } = await traced('GET', path);
  expect(answer.text).toBe('content');
  const s3Id = answer.headers['x-amz-request-id'] ?? '';
  // What a client can tell is its trace and the id of its answer. From either of them on:
  const balanced = await eventually(
    'HAProxy’s line',
    async () => (await fleet.requests()).find(({ gatewayId }) => gatewayId === s3Id),
    (line) => line !== undefined,
  );
  const balancerId = balanced?.requestId ?? '';
  expect(balancerId).toMatch(/^[0-9a-f-]{36}$/);
  const line = await eventually(
    'the gateway’s line',
    async () => (await gatewayLogs()).split('\n').find((text) => text.includes(balancerId)) ?? '',
    (text) => text !== '',
  );
  expect(JSON.parse(line)).toMatchObject({ requestId: s3Id, sentId: balancerId, traceId, operation: 'GetObject' });
  expect(server.attributes).toMatchObject({
    'aws.request_id': s3Id,
    'http.request.header.x-request-id': balancerId,
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(fleet.url).port),
    'url.scheme': 'http',
  });
  // And the worker that HAProxy sent it to is the one that tells of it.
  expect(balanced?.server).toMatch(/^gateway-[12]-worker-0$/);
});

it('a trace goes from the client through the gateway to Redis and pachd', async () => {
  const path = `/${await makeBucket()}/key`;
  const { traceId, parentId, spans, server } = await traced('PUT', path, { body: 'content' });
  expect(server).toMatchObject({ name: 'PutObject', parentSpanId: parentId });
  const asked = spans.filter(({ kind }) => kind === CLIENT);
  expect(asked.filter(({ name }) => name.startsWith('redis ')).length).toBeGreaterThan(0);
  for (const { name, attributes } of asked.filter((span) => span.name.startsWith('redis '))) {
    expect(attributes, name).toMatchObject({ 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' });
  }
  const addresses = relays.map(({ address }) => address);
  const calls = asked.filter(({ attributes }) => attributes['rpc.system'] === 'grpc');
  expect(calls.length).toBeGreaterThan(0);
  for (const { name, attributes } of calls) {
    expect(addresses).toContain(`${attributes['server.address']}:${attributes['server.port']}`);
    expect(name).toBe(`${attributes['rpc.service']}/${attributes['rpc.method']}`);
    expect(['call', 'retry', 'hedge']).toContain(attributes['tusk.attempt']);
  }
  for (const { spanId } of calls) {
    const [call] = heard().filter(({ metadata }) => metadata['traceparent'] === `00-${traceId}-${spanId}-01`);
    expect(call?.metadata['tracestate']).toBe('vendor=of-the-client');
  }
  // The commit is that of a round, which is a trace of its own.
  const [link] = spans.find(({ name }) => name === 'wait for round')?.links ?? [];
  const round = await eventually(
    'the round is exported',
    () => ofTrace(link?.traceId ?? '').find(({ spanId }) => spanId === link?.spanId),
    (span) => span !== undefined,
  );
  expect(round?.links.map((each) => each.traceId)).toContain(traceId);
  const commit = ofTrace(link?.traceId ?? '').find(({ name }) => name === 'pfs_v2.API/ModifyFile');
  expect(commit?.attributes).toMatchObject({ 'rpc.grpc.status_code': 0, 'tusk.attempt.number': 1 });
  expect(heard().map(({ metadata }) => metadata['traceparent'])).toContain(`00-${link?.traceId}-${commit?.spanId}-01`);
});

it('each try of a call is told with its number, its pachd and what became of it', async () => {
  const debug = connectDebug(pachds[1]?.address ?? '');
  await debug.setFaults(["InspectBranch error UNAVAILABLE 'on purpose'"]);
  const tries = await eventually(
    'the pachd that fails was asked',
    async () => {
      const { spans } = await traced('HEAD', `/${freshBucketName()}/key`);
      return spans.filter(({ name }) => name === 'pfs_v2.API/InspectBranch');
    },
    (spans) => spans.some(({ attributes }) => attributes['rpc.grpc.status_code'] === UNAVAILABLE),
  );
  await debug.setFaults([]);
  debug.close();
  const told = tries.map(({ attributes }) => ({
    number: attributes['tusk.attempt.number'],
    attempt: attributes['tusk.attempt'],
    port: attributes['server.port'],
    error: attributes['error.type'],
  }));
  const [port, failing] = relays.map(({ address }) => Number(address.split(':')[1]));
  expect(told.toSorted((one, other) => Number(one.number) - Number(other.number))).toMatchObject([
    { number: 1, attempt: 'call', port: failing, error: 'unavailable' },
    { number: 2, attempt: 'retry', port },
  ]);
});

it('no token, signature or query is in any log, metric or export of the fleet', async () => {
  const path = `/${await makeBucket()}/secret`;
  const unknown = keyOf('0123456789abcdef0123456789abcdef');
  for (const key of [ROOT, unknown]) {
    for (const signing of ['v4', 'presign-v4', 'v2', 'presign-v2'] as const) {
      for (const method of ['PUT', 'GET']) {
        const { answer, server } = await traced(method, path, {
          key,
          signing,
          ...(method === 'PUT' ? { body: 'x' } : {}),
        });
        expect([answer.status, server.attributes['http.response.status_code']]).toEqual(
          key === ROOT ? [200, 200] : [403, 403],
        );
      }
    }
  }
  await eventually(
    'metrics are exported',
    () => collector.bodies('/v1/metrics').length,
    (count) => count > 0,
  );
  const pages = fleet.gateways.flatMap(({ adminUrl }) => [`${adminUrl}/status.json`, `${adminUrl}/`]);
  const asked = [...pages, `${fleet.adminUrl}/metrics`, `${fleet.adminUrl}/stats;csv`];
  const written = [
    await fleet.balancerLog(),
    await gatewayLogs(),
    ...(await Promise.all(asked.map(async (url) => (await fetch(url)).text()))),
    ...(await Promise.all(fleet.gateways.map(async (gateway) => (await scrape(gateway)).text))),
    ...(await Promise.all(
      fleet.gateways.map(async (gateway) => (await scrape(gateway, 'application/openmetrics-text')).text),
    )),
    ...collector.bodies('/v1/traces').map(String),
    ...collector.bodies('/v1/metrics').map(String),
  ];
  for (const text of written) {
    expect(text).not.toBe('');
    for (const { accessKey } of [ROOT, unknown]) expect(text.includes(accessKey), text.slice(0, 80)).toBe(false);
    expect(text).not.toMatch(/Signature=|X-Amz-Credential|AWSAccessKeyId/i);
  }
  // What may be told of them is.
  expect(written.filter((text) => text.includes(path)).length).toBeGreaterThanOrEqual(3);
});
