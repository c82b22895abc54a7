import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Worker, withWorkers } from './haproxy.ts';
import type { MemberSpec } from './member.ts';

/** How each program of the fleet is run on this machine: what docker-compose.yml says of its services. */

export const HOST = '127.0.0.1';
const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/dist\/$/, '');
const REDIS_MEMORY = '256mb';
const PROBE_MAX_MS = 2_000;

type Spec = Omit<MemberSpec, 'logFile'>;

export function devpachd(name: string, port: number, dataDir: string, args: readonly string[]): Spec {
  const address = `${HOST}:${port}`;
  const program = join(ROOT, 'dist/services/devpachd/src/main.js');
  return {
    name,
    address,
    command: process.execPath,
    args: [program, '--listen', address, '--data', dataDir, '--seed', ...args],
  };
}

/** Nothing is written to disk: unfinished uploads end with it. */
export function redis(port: number): Spec {
  const settings = {
    bind: HOST,
    port,
    save: '',
    appendonly: 'no',
    maxmemory: REDIS_MEMORY,
    'maxmemory-policy': 'noeviction',
  };
  return {
    name: 'redis',
    address: `${HOST}:${port}`,
    command: 'redis-server',
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    serves: () => answersPing(port),
  };
}

export interface GatewayPorts {
  /** The one that its workers share. */
  readonly shared: number;
  readonly admin: number;
  /** Its first worker's own; those of the others follow. */
  readonly worker: number;
}

export function gateway(name: string, ports: GatewayPorts, dataDir: string, env: MemberSpec['env']): Spec {
  const address = `${HOST}:${ports.shared}`;
  return {
    name,
    address,
    command: process.execPath,
    args: [join(ROOT, 'dist/services/gateway/src/main.js')],
    env: {
      TUSK_LISTEN: address,
      TUSK_WORKER_PORT: String(ports.worker),
      TUSK_ADMIN_LISTEN: `${HOST}:${ports.admin}`,
      TUSK_DATA: dataDir,
      ...env,
    },
  };
}

/** Writes the load balancer's configuration for these workers to a file. */
export async function haproxy(
  ports: { readonly listen: number; readonly admin: number },
  workers: readonly Worker[],
  configFile: string,
  env: MemberSpec['env'],
): Promise<Spec> {
  const config = await readFile(join(ROOT, 'infra/haproxy/haproxy.cfg'), 'utf8');
  await writeFile(configFile, withWorkers(config, workers));
  const [address, admin] = [`${HOST}:${ports.listen}`, `${HOST}:${ports.admin}`];
  return {
    name: 'haproxy',
    address,
    command: 'haproxy',
    args: ['-db', '-f', configFile],
    env: { S3_LISTEN: address, S3_ADMIN: admin, ...env },
    serves: () => isReady(`http://${admin}/readyz`),
    // SIGTERM would cut what is under way.
    stopSignal: 'SIGUSR1',
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(PROBE_MAX_MS) })).ok;
  } catch {
    // Nobody listens yet.
    return false;
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write('PING\r\n'));
    socket.setTimeout(PROBE_MAX_MS, () => socket.destroy());
    socket.on('data', (answer) => {
      resolve(answer.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
