// What a gateway says of itself on /metrics: all workers together, right, and in bounded size.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBucket, freshBucketName } from '../../support/buckets.ts';
import { makeFolder, runCommand } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { type Scrape, scrape } from '../../support/metrics.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';

let redis: RedisServer;
let tusk: Tusk;
let bucket: string;
beforeAll(async () => {
  redis = await startRedis();
  tusk = await startTusk({
    env: {
      TUSK_WORKERS: '2',
      TUSK_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      TUSK_CACHE_SECRET: 'a secret of the tests',
      TUSK_METRICS_BUCKETS: '1',
    },
  });
  bucket = await freshBucket(tusk);
});
afterAll(async () => {
  await tusk.stop();
  await redis.stop();
});

/** Each on a connection of its own, so that both workers have some of them. */
const ask = (method: string, path: string, body?: string) =>
  send(tusk.url, method, path, { ...(body === undefined ? {} : { body }) });

const difference = (before: Scrape, after: Scrape, name: string, labels: Record<string, string> = {}) =>
  after.sum(name, labels) - before.sum(name, labels);

it('counts what clients asked for, in all workers together', async () => {
  const before = await scrape(tusk);
  await ask('PUT', `/${bucket}/a`, 'content');
  for (let count = 0; count < 20; count++) await ask('GET', `/${bucket}/a`);
  for (let count = 0; count < 3; count++) await ask('GET', `/${bucket}/nothing-there`);
  await ask('GET', '/no-such.repo');
  const after = await scrape(tusk);
  const changed = (name: string, labels?: Record<string, string>) => difference(before, after, name, labels);
  const gets = { operation: 'GetObject' };
  expect(changed('tusk_requests_total', { ...gets, status: '200', code: 'OK' })).toBe(20);
  expect(changed('tusk_requests_total', { ...gets, status: '404', code: 'NoSuchKey' })).toBe(3);
  expect(changed('tusk_requests_total', { operation: 'ListObjects', code: 'NoSuchBucket' })).toBe(1);
  expect(changed('tusk_request_faults_total')).toBe(0);
  expect(changed('tusk_request_duration_seconds_count', gets)).toBe(23);
  expect(changed('tusk_request_duration_seconds_bucket', { ...gets, le: '+Inf' })).toBe(23);
  expect(changed('tusk_request_bytes_total', { direction: 'in' })).toBe(7);
  expect(changed('tusk_round_writes_sum')).toBe(1);
  expect(changed('tusk_write_acknowledge_seconds_count')).toBe(1);
  expect(changed('tusk_cache_requests_total', { cache: 'branch' })).toBeGreaterThan(20);
  expect(changed('tusk_redis_script_seconds_count', { script: 'publish' })).toBe(1);
  expect(changed('tusk_pachd_call_seconds_count', { method: 'ModifyFile' })).toBe(1);
  expect(after.sum('tusk_workers')).toBe(2);
  expect(after.sum('tusk_redis_workers', { state: 'up' })).toBe(2);
  expect(after.sum('tusk_pachd_workers', { state: 'serving' })).toBe(2);
  expect(after.sum('tusk_event_loop_delay_seconds_count')).toBeGreaterThan(0);
});

it('tells when commits are finished', async () => {
  const before = await scrape(tusk);
  await ask('PUT', `/${bucket}/finished`, 'content');
  await eventually(
    'the commit is counted as finished',
    async () => difference(before, await scrape(tusk), 'tusk_commits_total', { outcome: 'finished' }),
    (count) => count === 1,
  );
  const after = await scrape(tusk);
  expect(difference(before, after, 'tusk_commit_finish_seconds_count')).toBe(1);
  expect(after.sum('tusk_commits_unfinished')).toBe(0);
  expect(after.sum('tusk_commits_unfinished_oldest_seconds')).toBe(0);
});

it('names no key, and of buckets only the busiest, as many as it may', async () => {
  const others = [freshBucketName(), freshBucketName()];
  for (const other of others) await ask('PUT', `/${other}`);
  for (let count = 0; count < 30; count++) await ask('GET', `/${bucket}/a`);
  const { text, samples } = await scrape(tusk);
  const named = samples.filter(({ name }) => name === 'tusk_bucket_requests_total');
  expect(named.find(({ labels }) => labels['bucket'] === bucket)?.value).toBeGreaterThan(0);
  // One of each worker, and all others.
  expect(named.length).toBeLessThanOrEqual(3);
  expect(text).not.toContain('nothing-there');
});

it('counts on when a worker has died', async () => {
  const before = await scrape(tusk);
  const [worker] = tusk.program.alive().filter(({ command }) => command.includes('worker-process'));
  process.kill(worker!.pid, 'SIGKILL');
  await eventually(
    'another worker has taken its place',
    async () => (await (await fetch(`${tusk.adminUrl}/readyz`)).text()).trim(),
    (answer) => answer === 'ready',
  );
  await ask('GET', `/${bucket}/a`);
  const after = await scrape(tusk);
  const gets = { operation: 'GetObject', code: 'OK' };
  expect(difference(before, after, 'tusk_requests_total', gets)).toBe(1);
  expect(after.sum('tusk_workers')).toBe(2);
  expect(difference(before, after, 'tusk_worker_ends_total')).toBe(1);
});

it('is what Prometheus and OpenMetrics say it must be', async () => {
  const folder = await makeFolder();
  const file = join(folder.path, 'metrics.txt');
  await writeFile(file, (await scrape(tusk)).text);
  const judged = await runCommand('sh', ['-c', 'exec promtool check metrics < "$0"', file]);
  await folder.remove();
  expect(judged).toEqual({ code: 0, stdout: '', stderr: '' });
  const open = await scrape(tusk, 'application/openmetrics-text; version=1.0.0');
  expect(open.text).toMatch(/\n# EOF\n$/);
  expect(open.sum('tusk_requests_total')).toBeGreaterThan(0);
});
