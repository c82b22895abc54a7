import type { FromWorker, ToWorker } from './messages.ts';
import { createLog } from './telemetry/log.ts';
import { startWorker, type Worker } from './worker.ts';

/** A worker's process: it does what the supervisor tells it, and ends with it. */

let worker: Worker | undefined;

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
    case 'stop':
      await worker?.stop();
      process.exit(0);
  }
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
  tell({ kind: 'status', id, status: { ...worker.load(), residentBytes, pachd } });
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
