import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** How long a member may take to serve, and to end when it is told to, before it is given up. */
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 50_000;
const POLL_MS = 50;

export interface MemberSpec {
  readonly name: string;
  /** HOST:PORT where it is reached by the others. */
  readonly address: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Whether it serves. Left out: a Node program of ours, which says so over IPC. */
  readonly serves?: () => Promise<boolean>;
  /** What makes it end what is under way first. */
  readonly stopSignal?: NodeJS.Signals;
}

/** One process of the fleet, with those that it starts itself. It keeps its name, its address and its log over a restart. */
export interface Member {
  readonly name: string;
  readonly address: string;
  readonly logFile: string;
  /** Of its newest process. */
  pid(): number;
  /** Ends it as by a lost machine: nothing of it can say goodbye. */
  kill(): Promise<void>;
  /** Holds it, and what it started, as by SIGSTOP; until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it in good order unless it has ended, waits until that is done, and starts it anew. @throws Error as `startMember` */
  restart(): Promise<void>;
  /** Ends it in good order, or by SIGKILL when that takes too long, and waits. */
  stop(): Promise<void>;
}

const alive = new Set<number>();
// Whoever ends without having stopped its members leaves none of them behind.
process.on('exit', () => {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
});

/** Ends every member that was ever started here, at once. */
export function killAll(): void {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
}

/**
 * Starts a member and waits until it serves.
 * @param onDeath told how it ended when nobody here had ended it
 * @throws Error with one line that says why it does not serve
 */
export async function startMember(spec: MemberSpec, onDeath: (how: string) => void): Promise<Member> {
  let run = launch(spec);
  let expected = false;
  await served(spec, run);
  watch();

  function watch(): void {
    const watched = run;
    void watched.ended.then((how) => {
      if (watched === run && !expected) onDeath(how);
    });
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    expected = true;
    if (!run.hasEnded()) run.child.kill(signal);
    const timer = setTimeout(() => signalGroup(run.pid, 'SIGKILL'), STOP_MAX_MS);
    await run.ended;
    clearTimeout(timer);
    // What it had started and did not take with it.
    signalGroup(run.pid, 'SIGKILL');
    alive.delete(run.pid);
  }

  return {
    name: spec.name,
    address: spec.address,
    logFile: spec.logFile,
    pid: () => run.pid,
    async kill() {
      expected = true;
      signalGroup(run.pid, 'SIGKILL');
      await run.ended;
      // What it had started may die a moment later, and still hold the address.
      while (await isListening(spec.address)) await shortly();
      alive.delete(run.pid);
    },
    pause: () => signalGroup(run.pid, 'SIGSTOP'),
    resume: () => signalGroup(run.pid, 'SIGCONT'),
    async restart() {
      await stop(spec.stopSignal ?? 'SIGTERM');
      run = launch(spec);
      await served(spec, run);
      expected = false;
      watch();
    },
    stop: () => stop(spec.stopSignal ?? 'SIGTERM'),
  };
}

interface Run {
  readonly child: ChildProcess;
  readonly pid: number;
  hasEnded(): boolean;
  /** How it ended: a signal's name, or a code. */
  readonly ended: Promise<string>;
}

function launch({ name, command, args, env, logFile, serves }: MemberSpec): Run {
  const log = openSync(logFile, 'a');
  // Of a process group of its own: Ctrl-C is for whoever started the fleet, and the group is what is paused and killed.
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log, ...(serves === undefined ? (['ipc'] as const) : [])],
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: ${command} cannot be run`);
  alive.add(pid);
  return { child, pid, ended, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
}

/** Resolves when it serves. @throws Error when it ends before, or takes too long; nothing of it runs then */
async function served(spec: MemberSpec, run: Run): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), START_MAX_MS);
  const ready = spec.serves === undefined ? firstMessage(run.child) : polled(spec.serves, deadline.signal);
  const late = new Promise<string>((resolve) => {
    deadline.signal.addEventListener('abort', () => resolve('and does not serve'), { once: true });
  });
  const failure = await Promise.race([ready, late, run.ended.then((how) => `and ended (${how})`)]);
  clearTimeout(timer);
  deadline.abort();
  if (failure === undefined) return;
  signalGroup(run.pid, 'SIGKILL');
  throw new Error(`${spec.name} was started ${failure}: ${lastLine(spec.logFile)} (${spec.logFile})`);
}

function firstMessage(child: ChildProcess): Promise<undefined> {
  return new Promise((resolve) => {
    child.once('message', () => resolve(undefined));
  });
}

async function polled(serves: () => Promise<boolean>, signal: AbortSignal): Promise<undefined> {
  while (!signal.aborted && !(await serves())) await shortly();
}

function shortly(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, POLL_MS);
  });
}

function isListening(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: nobody of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
