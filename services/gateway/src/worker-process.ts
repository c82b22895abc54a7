import type { TelemetryConfig } from './config-telemetry.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { createLog, type Log } from './telemetry/log.ts';
import { snapshot } from './telemetry/metrics.ts';
import { startWorker, type Worker } from './worker.ts';

/** A worker's process: it does what the supervisor tells it, and ends with it. */

let worker: Worker | undefined;
let endTraces = async (): Promise<void> => {};

// Ctrl-C reaches every process of the terminal; when a worker ends is for the supervisor to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ToWorker) => void obey(message));
tell({ kind: 'booted' });

async function obey(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(message);
    case 'status':
      return report(message.id);
    case 'metrics':
      return tell({ kind: 'metrics', id: message.id, metrics: snapshot() });
    case 'stop':
      await worker?.stop();
      await endTraces();
      process.exit(0);
  }
}

/** Loaded only where it is wanted. Gives what sends the rest, and ends. */
async function startTracing(
  number: number,
  { traces, instanceId }: TelemetryConfig,
  log: Log,
): Promise<() => Promise<void>> {
  if (traces === undefined) return async () => {};
  const { startTraces } = await import('./telemetry/otlp.ts');
  return startTraces({ 'service.instance.id': instanceId, 'tusk.worker': String(number) }, traces, log);
}

async function start({ number, config, uploadsDir }: ToWorker & { kind: 'start' }): Promise<void> {
  const log = createLog(`worker ${number}`, config.logLevel);
  // What nobody caught may have left anything half done: the supervisor starts a new process.
  process.on('uncaughtException', (error) => {
    log.fatal({ cause: error }, 'the worker ends');
    process.exit(1);
  });
  try {
    // The database is native code: a file that is damaged badly may end the process before it can say so.
    if (uploadsDir !== undefined) await said({ kind: 'opens', folder: uploadsDir });
    endTraces = await startTracing(number, config.telemetry, log);
    worker = await startWorker(config, log, uploadsDir);
    tell({ kind: 'listening' });
  } catch (error) {
    tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });
  }
}

async function report(id: number): Promise<void> {
  if (worker === undefined) return;
  const pachd = worker.pool.status();
  const residentBytes = process.memoryUsage.rss();
  tell({ kind: 'status', id, status: { ...worker.load(), residentBytes, pachd, faults: worker.faults() } });
}

function tell(message: FromWorker): void {
  process.send?.(message);
}

/** Resolves when the message is on its way, whatever becomes of this process. */
function said(message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}
