import { setTimeout as sleep } from 'node:timers/promises';
import type { Choices } from '../history/seeded.ts';
import type { Fleet } from './fleet.ts';

/** What goes wrong in a fleet, and is over when it resolves. */
export interface Fault {
  readonly name: string;
  readonly happen: (fleet: Fleet, choices: Choices) => Promise<void>;
}

/** Longer than a turn is lent, so that others get it. */
const LONGER_THAN_A_TURN_MS = 3_500;

export const FAULTS: readonly Fault[] = [
  {
    name: 'Redis is killed, and back with nothing in it',
    async happen({ redis }, choices) {
      await redis.kill();
      await sleep(choices.below(1_500));
      await redis.start();
    },
  },
  { name: 'Redis is flushed', happen: ({ redis }) => redis.cli('flushall').then(() => undefined) },
  {
    name: 'Redis forgets some of what it has',
    async happen({ redis }, choices) {
      for (const key of (await redis.cli('--scan')).split('\n')) {
        if (key !== '' && choices.below(2) === 0) await redis.cli('unlink', key);
      }
    },
  },
  {
    name: 'Redis stands still',
    async happen({ redis }, choices) {
      redis.pause();
      await sleep(100 + choices.below(1_500));
      redis.resume();
    },
  },
  {
    name: 'one gateway cannot reach Redis',
    async happen({ members }, choices) {
      const { redis } = choices.pick(members);
      redis.block();
      await sleep(200 + choices.below(2_000));
      redis.unblock();
    },
  },
  // By the names of the keys that stand in it: reads and stores, publications, what takes a turn, what keeps or ends one.
  ...[':r', ':d:', ':w', ':t'].map((key) => ({
    name: `a script with a key ${key} is lost, or its answer is`,
    async happen({ members }: Fleet, choices: Choices) {
      const { redis } = choices.pick(members);
      if (choices.below(2) === 0) redis.cutAtAnswerTo(key);
      else redis.cutBefore(key);
      await sleep(300);
    },
  })),
  {
    name: 'a worker is killed',
    async happen({ members }, choices) {
      const [pid] = choices.pick(members).workers();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await sleep(1_000);
    },
  },
  {
    name: 'a worker stands still for longer than its turn',
    async happen({ members }, choices) {
      const [pid] = choices.pick(members).workers();
      if (pid === undefined) return;
      process.kill(pid, 'SIGSTOP');
      await sleep(LONGER_THAN_A_TURN_MS);
      process.kill(pid, 'SIGCONT');
    },
  },
  { name: 'a pachd is killed', happen: (fleet, choices) => fleet.restartPachd(choices.below(fleet.pachds.length)) },
];
