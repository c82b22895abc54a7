import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder, from the sources and from dist alike. */
export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/dist\/$/, '');

/** How long a program may take to start, and to end after SIGTERM, before the test fails. A bound, not an expectation. */
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 60_000;

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program under test, with all that it starts: nothing of it can outlive the test. */
export interface Program {
  readonly pid: number;
  /** What it and its children have printed so far, stdout and stderr as they came. */
  output(): string;
  /** What of it went to stderr. */
  errors(): string;
  /** The processes that are alive of it and of all that it was ever seen to have started. */
  alive(): readonly Process[];
  /** Resolves when it has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  /** The first message over IPC that `pick` takes. @throws when it ends first, or takes too long. */
  message<T>(pick: (message: unknown) => T | undefined): Promise<T>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it by a signal and waits. @throws when it does not end (it is killed then), or had ended before it was told to. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

export interface Process {
  readonly pid: number;
  readonly command: string;
}

export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** The folder of a build, with its `dist`; this project without it. */
  readonly root?: string;
}

const programs = new Set<Program>();
// A test that fails, or a worker of the test runner that is ended, must leave nothing running.
process.on('exit', () => {
  for (const program of programs) killAll(program);
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Starts a built program with Node, such as `services/gateway/src/main.ts`, with an IPC channel. */
export function startNode(source: string, options: ProgramOptions = {}): Program {
  const built = join(options.root ?? ROOT, 'dist', source.replace(/\.ts$/, '.js'));
  if (!existsSync(built)) throw new Error(`${source} is not built: run npm run build`);
  const child = spawn(process.execPath, [built, ...(options.args ?? [])], {
    cwd: options.cwd ?? ROOT,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  return watch(child, source);
}

function watch(child: ChildProcess, name: string): Program {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started`);
  const family = new Map<number, string>();
  const chunks: string[] = [];
  const errors: string[] = [];
  const messages: unknown[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    chunks.push(chunk);
    errors.push(chunk);
  });
  child.on('message', (message) => messages.push(message));
  const exited = new Promise<Exit>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const output = () => chunks.join('');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  let stopping: NodeJS.Signals | undefined;

  function message<T>(pick: (message: unknown) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error(`${name} took too long:\n${output()}`)), START_MAX_MS);
      const look = (): void => {
        const found = messages.map(pick).find((picked) => picked !== undefined);
        if (found !== undefined) settle(found);
      };
      const settle = (outcome: T | Error): void => {
        clearTimeout(timer);
        child.off('message', look);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      child.on('message', look);
      void exited.then(({ code, signal }) => settle(new Error(`${name} ended (${code ?? signal}):\n${output()}`)));
      look();
    });
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (stopping === undefined && hasEnded()) {
      throw new Error(`${name} had ended by itself (${child.exitCode ?? child.signalCode}):\n${output()}`);
    }
    stopping = signal;
    child.kill(signal);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killAll(program);
    }, STOP_MAX_MS);
    const exit = await exited;
    clearTimeout(timer);
    if (late) throw new Error(`${name} did not end after ${signal}:\n${output()}`);
    return exit;
  }

  const program: Program = {
    pid,
    output,
    errors: () => errors.join(''),
    alive: () => aliveOf(pid, family),
    exited,
    message,
    signal: (signal) => child.kill(signal),
    stop,
  };
  programs.add(program);
  return program;
}

/** Adds to the family whom it has started since, and tells who of it is alive. */
function aliveOf(root: number, family: Map<number, string>): readonly Process[] {
  const running = new Map<number, { readonly parent: number; readonly command: string }>();
  for (const line of execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')) {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // A zombie has ended; only its parent has not asked yet.
    if (!state?.startsWith('Z')) running.set(Number(pid), { parent: Number(parent), command: command ?? '' });
  }
  const descends = (pid: number): boolean => {
    if (pid === root || (family.has(pid) && family.get(pid) === running.get(pid)?.command)) return true;
    const parent = running.get(pid)?.parent ?? 0;
    return parent > 1 && descends(parent);
  };
  for (const [pid, { command }] of running) if (!family.has(pid) && descends(pid)) family.set(pid, command);
  // Whoever has the number of one that ended, but runs something else, is a stranger.
  return [...family].flatMap(([pid, command]) => (running.get(pid)?.command === command ? [{ pid, command }] : []));
}

function killAll(program: Program): void {
  for (const { pid } of program.alive()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // ESRCH: it has ended since, as it should.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** This process's environment without what would set up the programs under test or the clients in another way. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const foreign = /^(TUSK|DEVPACHD|OTEL|AWS|MINIO|NODE_OPTIONS|NODE_V8|VITEST|http_proxy|https_proxy|all_proxy)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
