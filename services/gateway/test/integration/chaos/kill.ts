import { eventually } from '../../support/eventually.ts';
import type { Tusk } from '../../support/tusk.ts';
import { seeded } from '../history/seeded.ts';
import { type Load, processesOf, startLoad, waitForProgress } from './load.ts';

export interface KillOptions {
  readonly seed: number;
  /** What the command of the victims names. */
  readonly program: string;
  readonly times: number;
}

/**
 * Kills processes of a gateway under load by SIGKILL, each time after some more operations were seen to be done, and lets the load go
 * on for a while. @returns the load, stopped.
 */
export async function killUnderLoad(tusk: Tusk, { seed, program, times }: KillOptions): Promise<Load> {
  const load = await startLoad(tusk, seed);
  const choices = seeded(seed);
  for (let kill = 0; kill < times; kill++) {
    await waitForProgress(load, 20 + choices.below(60));
    const victims = await eventually(
      `${program} runs`,
      () => processesOf(tusk, program),
      (processes) => processes.length > 0,
    );
    for (const { pid } of victims) process.kill(pid, 'SIGKILL');
  }
  await waitForProgress(load, 60);
  await load.stop();
  return load;
}
