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

/** A program under test, in a process group of its own, so that nothing that it starts can outlive the test. */
export interface Program {
  readonly pid: number;
  /** What it and its children have printed so far, stdout and stderr as they came. */
  output(): string;
  /** What of it went to stderr. */
  errors(): string;
  /** The processes of its group that are alive: it, and all that it started. */
  alive(): readonly GroupMember[];
  /** Resolves when it has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  /** The first message over IPC that `pick` takes. @throws when it ends first, or takes too long. */
  message<T>(pick: (message: unknown) => T | undefined): Promise<T>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it by a signal and waits. @throws when it does not end; it is killed then. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

export interface GroupMember {
  readonly pid: number;
  readonly command: string;
}

export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

const groups = new Set<number>();
// A test that fails, or a worker of the test runner that is ended, must leave nothing running.
process.on('exit', () => {
  for (const pid of groups) killGroup(pid);
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Starts a built program with Node, such as `services/gateway/src/main.ts`, with an IPC channel. */
export function startNode(source: string, options: ProgramOptions = {}): Program {
  const built = join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
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
  groups.add(pid);
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
  // The group is not forgotten yet: what a program leaves behind is for the test to see, and for the end to kill.
  const output = () => chunks.join('');

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
    child.kill(signal);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup(pid as number);
    }, STOP_MAX_MS);
    const exit = await exited;
    clearTimeout(timer);
    if (late) throw new Error(`${name} did not end after ${signal}:\n${output()}`);
    return exit;
  }

  return {
    pid,
    output,
    errors: () => errors.join(''),
    alive: () => membersOf(pid),
    exited,
    message,
    signal: (signal) => child.kill(signal),
    stop,
  };
}

function membersOf(group: number): readonly GroupMember[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, pgid, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
      // A zombie has ended; only its parent has not asked yet.
      return Number(pgid) === group && !state?.startsWith('Z') ? [{ pid: Number(pid), command: command ?? '' }] : [];
    });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: nobody is left in the group, which is how it should be.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** This process's environment without what would set up the programs under test or the clients in another way. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const foreign = /^(TUSK|DEVPACHD|OTEL|AWS|MINIO|NODE_OPTIONS|NODE_V8|VITEST|http_proxy|https_proxy|all_proxy)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
