import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { type Program, startNode } from '../../support/program.ts';
import { connectDebug, type Debug, type Harm, harmDone } from '../devpachd-debug.ts';

/** A devpachd in which calls go wrong when a test says so, and which is started anew on its data when it has died. */
export interface FaultyPachd {
  /** HOST:PORT, the same in all of its lives. */
  readonly address: string;
  readonly debug: Debug;
  /** Lets one call go wrong, as `--fault` says it. */
  arm(rule: string): Promise<void>;
  /** Resolves when that call has come. */
  struck(): Promise<void>;
  /** Waits for its death and starts it anew. */
  revive(): Promise<void>;
  /** In this life. @param startedByOthers how many commits others than tusk have started on a branch, in all lives */
  harm(startedByOthers: () => number): Promise<Harm>;
  stop(): Promise<void>;
}

/** @param finishMs how long commits take at least to finish */
export async function startFaultyPachd(finishMs = 0): Promise<FaultyPachd> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-faulty-'));
  let address = '127.0.0.1:0';
  let program: Program;
  let struckBefore = 0;
  let dead = false;

  const launch = async (): Promise<void> => {
    program = startNode('services/devpachd/src/main.ts', {
      args: ['--listen', address, '--data', dataDir, '--fault-control', '--latency', String(finishMs)],
    });
    address = await program.message(asAddress);
  };
  await launch();
  const debug = connectDebug(address);

  return {
    address,
    debug,
    async arm(rule) {
      struckBefore = (await debug.counters()).faultsInjected;
      dead = / die\b/.test(rule);
      try {
        await debug.setFaults([rule]);
      } catch (error) {
        // It may have died of another call before it was able to answer this one.
        if (!dead) throw error;
      }
    },
    struck: async () => {
      if (dead) await program.exited;
      else {
        await eventually(
          'the fault took place',
          () => debug.counters(),
          ({ faultsInjected }) => faultsInjected > struckBefore,
        );
      }
    },
    async revive() {
      await program.exited;
      dead = false;
      await launch();
    },
    harm: (startedByOthers) => harmDone(address, startedByOthers()),
    async stop() {
      debug.close();
      if (!dead) await program.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function asAddress(message: unknown): string | undefined {
  const { ready, address } = (message ?? {}) as Readonly<{ ready?: unknown; address?: unknown }>;
  return ready === true && typeof address === 'string' ? address : undefined;
}
