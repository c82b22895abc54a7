import { type Exit, type Program, startNode } from './program.ts';

export interface Devpachd {
  /** HOST:PORT of its gRPC. */
  readonly address: string;
  readonly program: Program;
  stop(): Promise<Exit>;
}

export interface DevpachdOptions {
  readonly dataDir: string;
  readonly auth?: boolean;
  /** With the projects and the repo of a first start. */
  readonly seed?: boolean;
  /** Commits take at least so long to finish, in milliseconds. */
  readonly finishMs?: number;
  /** What goes wrong on purpose (docs/devpachd.md). */
  readonly faults?: readonly string[];
  /** Whether what goes wrong can be changed later. */
  readonly faultControl?: boolean;
  /** Where to listen; a free port without it. */
  readonly listen?: string;
}

/** Starts the pachd stand-in alone and waits until it serves. */
export async function startDevpachd(options: DevpachdOptions): Promise<Devpachd> {
  const args = ['--listen', options.listen ?? '127.0.0.1:0', '--data', options.dataDir];
  if (options.auth) args.push('--auth');
  if (options.seed) args.push('--seed');
  if (options.finishMs !== undefined) args.push('--latency', String(options.finishMs));
  if (options.faultControl) args.push('--fault-control');
  for (const fault of options.faults ?? []) args.push('--fault', fault);
  const program = startNode('services/devpachd/src/main.ts', { args });
  const address = await program.message(asAddress);
  return { address, program, stop: () => program.stop() };
}

function asAddress(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { ready, address } = message as Readonly<Record<string, unknown>>;
  return ready === true && typeof address === 'string' ? address : undefined;
}
