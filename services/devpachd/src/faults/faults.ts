import type { CallFault, DiskFault, Fault } from './grammar.ts';

/** An error that a fault asked for, with the name of a gRPC status code. */
export class InjectedError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'InjectedError';
    this.code = code;
  }
}

/** What goes wrong on purpose, for tests of those who call. Nothing does, unless the process was started with it. */
export interface Faults {
  /** Does what the rules say for this place of a call. Rejects where the call is not to go on. */
  readonly at: (method: string, when: CallFault['when'], cutConnection: () => void) => Promise<void>;
  /** Throws, as the file system would, when there is no room for so many bytes of content more. */
  readonly takeSpace: (bytes: number) => void;
  readonly replace: (faults: readonly Fault[]) => void;
  /** How often one of them took place. */
  readonly injected: () => number;
}

const OWN_PACKAGE = 'devpachd_v1.';

export function createFaults(first: readonly Fault[]): Faults {
  let rules: readonly { readonly fault: CallFault; left: number }[] = [];
  let disk: DiskFault | undefined;
  let takenBytes = 0;
  let injected = 0;

  const replace = (faults: readonly Fault[]) => {
    rules = faults.flatMap((fault) => (fault.kind === 'call' ? [{ fault, left: fault.times }] : []));
    disk = faults.find((fault) => fault.kind === 'disk');
    takenBytes = 0;
  };
  replace(first);

  return {
    replace,
    injected: () => injected,
    at: async (method, when, cutConnection) => {
      for (const rule of rules) {
        if (rule.left === 0 || rule.fault.when !== when || !isMeant(rule.fault.method, method)) continue;
        rule.left--;
        injected++;
        await carryOut(rule.fault, cutConnection);
      }
    },
    takeSpace: (bytes) => {
      if (!disk) return;
      takenBytes += bytes;
      if (takenBytes <= disk.freeBytes) return;
      injected++;
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
  };
}

async function carryOut({ action }: CallFault, cutConnection: () => void): Promise<void> {
  switch (action.kind) {
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, action.ms));
      return;
    case 'error':
      throw new InjectedError(action.code, action.message);
    case 'cut':
      cutConnection();
      throw new InjectedError('CANCELLED', 'injected fault: the connection was cut');
    case 'die':
      process.kill(process.pid, 'SIGKILL');
      // The signal may take a moment, in which nothing more is to happen.
      await new Promise(() => undefined);
  }
}

/** Those who test with faults go on reading devpachd's own counters. */
function isMeant(asked: string, method: string): boolean {
  if (asked === '*') return !method.startsWith(OWN_PACKAGE);
  return asked === method || asked === method.slice(method.indexOf('/') + 1);
}
