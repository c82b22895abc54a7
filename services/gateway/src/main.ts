import { join } from 'node:path';
import { createHistory, LOOK_EVERY_MS } from './admin/history.ts';
import { startAdmin } from './admin/server.ts';
import { cachesOf, type GatewayStatus } from './admin/status.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { lockData } from './data-lock.ts';
import { type OwnPachd, startOwnPachd } from './own-pachd.ts';
import { startWorkers, type Workers } from './supervisor.ts';
import { createLog } from './telemetry/log.ts';
import { FAMILIES } from './telemetry/metrics.ts';
import type { Snapshot } from './telemetry/registry.ts';

/** The gateway's process: settings, data folder, devpachd if no pachd is given, workers, admin port, signals. */

/** What is to be ended, latest first, when the gateway stops or cannot start. */
const running: (() => Promise<void> | void)[] = [];
let stopping = false;

try {
  await start(readConfig(process.env));
} catch (error) {
  const lines =
    error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : String(error)];
  for (const line of lines) process.stderr.write(`tusk: ${line}\n`);
  await endAll();
  process.exit(1);
}

async function start(given: Config): Promise<void> {
  const log = createLog('tusk', given.logLevel);
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());

  // A gateway of a fleet keeps nothing.
  const keeps = given.redisUrl === undefined || given.pachd.length === 0;
  const dataDir = keeps ? await takeData(given, log) : undefined;
  const own = given.pachd.length === 0 ? await ownPachd(given.dataDir, log) : undefined;
  const config = own === undefined ? given : { ...given, pachd: [own.address] };

  const uploadsDir = dataDir === undefined || given.redisUrl !== undefined ? undefined : join(dataDir, 'uploads');
  const workers = await startWorkers(config, process.env, log, uploadsDir);
  running.push(() => workers.stop());

  await exportMetrics(config.telemetry, workers, log);
  const status = watchStatus(workers);
  const admin = await startAdmin(config.adminListen, { status, metrics: workers.metrics });
  running.push(() => admin.close());

  sayReady(config, workers.port, admin.port, own);
}

/**
 * The data folder, for this gateway alone. One that nobody asked for, and that no pachd needs, can be done without: unfinished
 * uploads then end with their worker.
 */
async function takeData(
  { dataDir, dataDirGiven, pachd }: Config,
  log: ReturnType<typeof createLog>,
): Promise<string | undefined> {
  try {
    running.push(await lockData(dataDir));
    return dataDir;
  } catch (error) {
    if (dataDirGiven || pachd.length === 0) throw error;
    log.warn({ cause: error }, 'without a data folder unfinished multipart uploads do not outlive a restart');
    return undefined;
  }
}

async function ownPachd(dataDir: string, log: ReturnType<typeof createLog>): Promise<OwnPachd> {
  const own = await startOwnPachd(dataDir, log);
  running.push(() => own.stop());
  return own;
}

/** Sends what is counted to where it is wanted. What does that is loaded only there. */
async function exportMetrics(
  { metricsEveryMs, instanceId }: Config['telemetry'],
  workers: Workers,
  log: ReturnType<typeof createLog>,
): Promise<void> {
  if (metricsEveryMs === undefined) return;
  const { startMetrics } = await import('./telemetry/otlp.ts');
  running.push(startMetrics({ 'service.instance.id': instanceId }, metricsEveryMs, FAMILIES, workers.metrics, log));
}

/** Looks again and again at what the workers count, so that it can be told how it was. Gives what tells it. */
function watchStatus(workers: Workers): () => Promise<GatewayStatus> {
  const startedMs = Date.now();
  const history = createHistory();
  let counted: Snapshot = {};
  const look = async () => {
    counted = await workers.metrics();
    history.note(counted, Date.now());
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  running.push(() => clearInterval(timer));
  return async () => {
    const answers = await workers.status();
    return {
      notReady: whyNotReady(answers),
      nowMs: Date.now(),
      startedMs,
      workers: answers,
      caches: cachesOf(counted),
      history: history.moments(),
    };
  };
}

function whyNotReady(workers: Awaited<ReturnType<Workers['status']>>): string {
  if (stopping) return 'it is being stopped';
  const silent = workers.indexOf(undefined);
  if (silent !== -1) return `worker ${silent} does not answer`;
  const pachd = workers.flatMap((worker) => worker?.pachd ?? []);
  return pachd.some(({ state }) => state === 'serving')
    ? ''
    : `no pachd serves: ${pachd.map(({ address, why }) => `${address} ${why}`).join('; ')}`;
}

function sayReady(config: Config, port: number, adminPort: number, own: OwnPachd | undefined): void {
  const scheme = config.tls === undefined ? 'http' : 'https';
  const url = `${scheme}://${config.listen.host}:${port}`;
  const adminUrl = `http://${config.adminListen.host}:${adminPort}`;
  const pachd = config.pachd.map((address) => `${address.host}:${address.port}`).join(', ');
  const lines = [
    `tusk serves S3 on ${url}, health and status on ${adminUrl}`,
    own === undefined ? `pachd: ${pachd}` : `pachd: its own stand-in (devpachd) on ${pachd}, data in ${config.dataDir}`,
    `try:   aws --no-sign-request --endpoint-url ${url} s3 ls s3://master.foo.bar`,
  ];
  process.stdout.write(`${lines.slice(0, own === undefined ? 2 : 3).join('\n')}\n`);
  process.send?.({ kind: 'ready', url, adminUrl, pachd });
}

/** Ends what runs, in the order that loses nothing. A second signal does not wait. */
async function stop(): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  await endAll();
  process.exit(0);
}

async function endAll(): Promise<void> {
  for (const end of running.splice(0).reverse()) await end();
}
