import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import type { Fleet } from './fleet.ts';

/** Longer than a turn is lent, so that others get it. */
const LONGER_THAN_A_TURN_MS = 3_500;

/** Everything that can go wrong in a fleet. */
export function faultsOf({ redis, members, pachds, restartPachd }: Fleet): readonly Fault[] {
  return [
    ...redis.faults,
    {
      name: 'a worker is killed',
      async happen(choices) {
        const [pid] = choices.pick(members).workers();
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
        await sleep(1_000);
      },
    },
    {
      name: 'a worker stands still for longer than its turn',
      async happen(choices) {
        const [pid] = choices.pick(members).workers();
        if (pid === undefined) return;
        process.kill(pid, 'SIGSTOP');
        await sleep(LONGER_THAN_A_TURN_MS);
        process.kill(pid, 'SIGCONT');
      },
    },
    { name: 'a pachd is killed', happen: (choices) => restartPachd(choices.below(pachds.length)) },
  ];
}
