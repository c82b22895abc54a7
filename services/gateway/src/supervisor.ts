import { type ChildProcess, fork } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.ts';
import type { FromWorker, ToWorker, WorkerStatus } from './messages.ts';
import { createAggregate } from './telemetry/aggregate.ts';
import type { Log } from './telemetry/log.ts';
import { FAMILIES, WORKER_ENDS } from './telemetry/metrics.ts';
import type { Snapshot } from './telemetry/registry.ts';

/** uWebSockets takes header blocks up to this size; what is past the protocol's own limit gets an S3 error, past this one a bare 431. */
const HEADERS_MAX_BYTES = 32 << 10;
const ANSWER_TIMEOUT_MS = 3_000;
const RESTART_DELAY_MS = 500;

export interface Workers {
  readonly port: number;
  /** What each worker says of itself; undefined for one that does not answer. */
  status(): Promise<readonly (WorkerStatus | undefined)[]>;
  /** What all of them counted, and those that ended. Of one that does not answer: what it said last. */
  metrics(): Promise<Snapshot>;
  /** Lets what is under way end, then ends them all. */
  stop(): Promise<void>;
}

/**
 * Starts the worker processes, and starts one anew that dies. @param env what they inherit
 * @param uploadsDir where they keep unfinished uploads; undefined: in memory
 * @throws Error with one line that says why they cannot start
 */
export async function startWorkers(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Log,
  uploadsDir: string | undefined,
): Promise<Workers> {
  const slots: { child: ChildProcess }[] = [];
  let stopping = false;
  let started = false;
  // A worker that takes another's place must get the same one, which the system's choice for port 0 cannot be relied on for.
  const port = config.listen.port === 0 ? await freePort(config.listen.host) : config.listen.port;
  const listenOf = (number: number): Config['listen'] => ({
    ...config.listen,
    port,
    ...(config.workerPort === 0 ? {} : { ownPort: config.workerPort + number }),
  });
  let askedId = 0;
  const counted = createAggregate(FAMILIES);
  let ends = 0;

  const launch = (number: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(new URL('./worker-process.js', import.meta.url)), {
        env: { ...env, UWS_HTTP_MAX_HEADERS_SIZE: String(HEADERS_MAX_BYTES) },
      });
      slots[number] = { child };
      let opening = '';
      child.on('message', (message: FromWorker) => {
        switch (message.kind) {
          case 'booted':
            return send(child, {
              kind: 'start',
              number,
              config: { ...config, listen: listenOf(number) },
              uploadsDir,
            });
          case 'opens':
            opening = `, when it had opened ${message.folder}: what is in there may be damaged`;
            return undefined;
          case 'listening':
            return resolve();
          case 'failed':
            reject(new Error(message.why));
            return child.kill('SIGKILL');
          case 'status':
          case 'metrics':
            return undefined;
        }
      });
      child.on('exit', (code, signal) => {
        reject(new Error(`worker ${number} ended at its start (${signal ?? code})${opening}`));
        counted.left(number);
        if (stopping || !started) return;
        ends += 1;
        log.error({ worker: number, code, signal }, 'a worker ended; another takes its place');
        setTimeout(() => {
          if (!stopping) launch(number).catch((error: unknown) => log.error({ cause: error }, 'a worker cannot start'));
        }, RESTART_DELAY_MS);
      });
    });

  try {
    for (let number = 0; number < config.workers; number++) await launch(number);
    started = true;
  } catch (error) {
    stopping = true;
    for (const { child } of slots) child.kill('SIGKILL');
    throw error;
  }

  /** @returns undefined: it does not answer */
  const ask = <Kind extends 'status' | 'metrics'>(
    child: ChildProcess,
    kind: Kind,
  ): Promise<(FromWorker & { kind: Kind }) | undefined> => {
    askedId += 1;
    const id = askedId;
    return new Promise((resolve) => {
      const settle = (answer: (FromWorker & { kind: Kind }) | undefined) => {
        clearTimeout(timer);
        child.off('message', hear);
        resolve(answer);
      };
      const hear = (message: FromWorker) => {
        if (isAnswer(message, kind, id)) settle(message);
      };
      const timer = setTimeout(() => settle(undefined), ANSWER_TIMEOUT_MS);
      child.on('message', hear);
      send(child, { kind, id });
    });
  };

  const listenTo = async (child: ChildProcess, number: number): Promise<void> => {
    const answer = await ask(child, 'metrics');
    // Of one that has ended meanwhile, what it counted is kept already.
    if (answer !== undefined && child.exitCode === null && child.signalCode === null) {
      counted.heard(number, answer.metrics);
    }
  };

  return {
    port,
    status: () => Promise.all(slots.map(async ({ child }) => (await ask(child, 'status'))?.status)),
    async metrics() {
      await Promise.all(slots.map(({ child }, number) => listenTo(child, number)));
      return { ...counted.total(), [WORKER_ENDS.name]: [{ labels: [], value: ends }] };
    },
    async stop() {
      stopping = true;
      await Promise.all(slots.map(({ child }) => end(child, { kind: 'stop' }, config.drainMs + 5_000)));
    },
  };
}

function isAnswer<Kind extends 'status' | 'metrics'>(
  message: FromWorker,
  kind: Kind,
  id: number,
): message is FromWorker & { kind: Kind } {
  return message.kind === kind && message.id === id;
}

function send(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message);
}

/** Tells a child to end, and kills it when it does not. */
function end(child: ChildProcess, message: ToWorker, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    send(child, message);
  });
}

/** A port that is free at this moment. */
function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, host, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
