import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';

/** A redis-server under test, on a free port of 127.0.0.1, that keeps nothing on disk. */
export interface RedisServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly pid: number;
  /** What redis-cli answers. @throws when it fails */
  cli(...command: readonly string[]): Promise<string>;
  /** One field of INFO; empty if it is not there. */
  info(field: string): Promise<string>;
  /** Nothing is answered from now on, and connections stay. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** The same port and settings with an empty memory, after a kill. */
  start(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Lines of redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Nothing but TLS on its port, with PEM files. */
  readonly tls?: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
  readonly sentinel?: boolean;
  /** Asked of everybody, and told to a primary. */
  readonly password?: string;
}

const children = new Set<ChildProcess>();
// A test that fails, or a worker of the test runner that is ended, must leave nothing running.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

const run = promisify(execFile);

/** Starts a server and waits until it answers. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tusk-redis-'));
  const port = await freePort();
  let child = await launch(folder, port, options);

  const tlsArgs = options.tls ? ['--tls', '--cacert', options.tls.caFile, '--sni', 'localhost'] : [];
  const env = { ...process.env, ...(options.password === undefined ? {} : { REDISCLI_AUTH: options.password }) };

  const cli = async (...command: readonly string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-p', String(port), '-e', ...tlsArgs, ...command], { env });
    return stdout.trim();
  };
  const answers = () =>
    eventually(
      `redis-server answers on ${port}`,
      () => cli('ping').catch((error: unknown) => String(error)),
      (answer) => answer === 'PONG',
    );
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    children.delete(child);
  };
  await answers();

  return {
    host: '127.0.0.1',
    port,
    get pid() {
      return child.pid!;
    },
    cli,
    async info(field) {
      return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(await cli('info', 'everything'))?.[1] ?? '';
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    async start() {
      child = await launch(folder, port, options);
      await answers();
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, port: number, options: RedisServerOptions): Promise<ChildProcess> {
  const { settings = {}, sentinel = false, tls, password } = options;
  // A replica gets its data at once; by default it waits 5 s for others to come.
  const memory = { save: '""', appendonly: 'no', 'repl-diskless-sync-delay': '0' };
  const ports = tls ? { port: '0', 'tls-port': String(port), ...tlsSettings(tls) } : { port: String(port) };
  const own = { ...ports, bind: '127.0.0.1', dir: folder, loglevel: 'warning', ...(sentinel ? {} : memory) };
  const secrets =
    password === undefined ? {} : { requirepass: password, ...(sentinel ? {} : { masterauth: password }) };
  const lines = Object.entries({ ...own, ...secrets, ...settings }).map(([name, value]) => `${name} ${value}\n`);
  // A Sentinel writes what it learns into its file.
  const file = join(folder, 'redis.conf');
  await writeFile(file, lines.join(''));
  const child = spawn('redis-server', [file, ...(sentinel ? ['--sentinel'] : [])], { cwd: folder, stdio: 'ignore' });
  children.add(child);
  return child;
}

function tlsSettings(tls: NonNullable<RedisServerOptions['tls']>): Record<string, string> {
  const { caFile, certFile, keyFile } = tls;
  return {
    'tls-ca-cert-file': caFile,
    'tls-cert-file': certFile,
    'tls-key-file': keyFile,
    'tls-auth-clients': 'no',
  };
}

/** A port that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
