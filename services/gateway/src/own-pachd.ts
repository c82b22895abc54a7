import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PachdAddress } from './config.ts';
import type { Log } from './telemetry/log.ts';

const RESTART_DELAY_MS = 500;
const STOP_TIMEOUT_MS = 10_000;

export interface OwnPachd {
  readonly address: PachdAddress;
  stop(): Promise<void>;
}

/**
 * Starts devpachd as a child, on a free port and with the example that the README speaks of, and starts it anew when it dies.
 * @throws Error with one line that says why it cannot start
 */
export async function startOwnPachd(dataDir: string, log: Log): Promise<OwnPachd> {
  let child: ChildProcess | undefined;
  let stopping = false;
  let listen = '127.0.0.1:0';

  const launch = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const program = fileURLToPath(new URL('../../devpachd/src/main.js', import.meta.url));
      let complaint = '';
      // Of a process group of its own, since Ctrl-C must not take it away under requests that still run.
      const started = spawn(process.execPath, [program, '--listen', listen, '--data', dataDir, '--seed'], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        detached: true,
      });
      child = started;
      started.stderr?.on('data', (text: Buffer) => {
        complaint = (complaint + text).slice(-2_000);
        log.warn({ devpachd: String(text).trimEnd() }, 'devpachd says');
      });
      started.on('message', (message: { readonly ready?: boolean; readonly address?: string }) => {
        if (message.ready && message.address !== undefined) resolve(message.address);
      });
      started.on('exit', (code, signal) => {
        reject(
          new Error(complaint.trim() === '' ? `devpachd ended at its start (${signal ?? code})` : complaint.trim()),
        );
        if (stopping || listen.endsWith(':0')) return;
        log.error({ code, signal }, 'devpachd ended; it is started anew');
        setTimeout(() => {
          if (!stopping) launch().catch((error: unknown) => log.error({ cause: error }, 'devpachd cannot start'));
        }, RESTART_DELAY_MS);
      });
    });

  listen = await launch();
  const [host = '', port = ''] = listen.split(':');
  return {
    address: { host, port: Number(port), tls: false },
    stop() {
      stopping = true;
      return child === undefined ? Promise.resolve() : terminate(child);
    },
  };
}

function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
