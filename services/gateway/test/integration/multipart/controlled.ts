import { makeFolder } from '../../support/clients.ts';
import { startNode } from '../../support/program.ts';
import { connectDebug, type Debug } from '../devpachd-debug.ts';

/** A devpachd that a test can make go wrong. */
export interface Controlled {
  readonly address: string;
  readonly debug: Debug;
  /** Lets things go wrong while `work` goes on. */
  withFaults<T>(rules: readonly string[], work: () => Promise<T>): Promise<T>;
  /** How often something went wrong so far. */
  faults(): Promise<number>;
  stop(): Promise<void>;
}

/** @param args more arguments of devpachd */
export async function startControlled(...args: readonly string[]): Promise<Controlled> {
  const folder = await makeFolder();
  const program = startNode('services/devpachd/src/main.ts', {
    args: ['--listen', '127.0.0.1:0', '--data', folder.path, '--fault-control', ...args],
  });
  const address = await program.message((message) => (message as { readonly address?: string }).address);
  const debug = connectDebug(address);
  return {
    address,
    debug,
    async withFaults(rules, work) {
      await debug.setFaults(rules);
      try {
        return await work();
      } finally {
        await debug.setFaults([]);
      }
    },
    faults: async () => (await debug.counters()).faultsInjected,
    async stop() {
      debug.close();
      await program.stop();
      await folder.remove();
    },
  };
}
