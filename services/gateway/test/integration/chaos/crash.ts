import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { repoOf } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { type Harm, NO_HARM } from '../devpachd-debug.ts';
import { connectOutside, type Outside } from '../outside.ts';
import { expectAllWell, writeFromOutside } from './aftermath.ts';
import { type FaultyPachd, startFaultyPachd } from './faulty-pachd.ts';
import { type Load, processesOf, startLoad, waitForProgress } from './load.ts';

export const BLOWS = ['cut', 'error', 'pachd dies', 'worker dies', 'gateway dies'] as const;

/** What goes wrong at a call that tusk makes, before or after what that does. */
export interface Strike {
  readonly method: string;
  readonly when: 'before' | 'after';
  readonly blow: (typeof BLOWS)[number];
}

/** What tusk calls to write into a commit that somebody has open, and to copy out of one. */
export const OPEN_HEAD_METHODS: readonly string[] = ['AddFileSet', 'GetFileSet'];

/** Longer than it takes to find out that a call has come, and to kill who waits for it. */
const HELD_MS = 2_000;

/** A gateway under load at a pachd in which calls go wrong. */
export interface Scene {
  readonly pachd: FaultyPachd;
  readonly load: Load;
  /** Strikes, finds the branch writable by anybody at once, and lets the load go on for a while. */
  strike(strike: Strike): Promise<void>;
  /** Ends the load, and finds nothing lost, torn, left open or harmed. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export async function startScene(seed: number): Promise<Scene> {
  const pachd = await startFaultyPachd();
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-crash-'));
  const env = { TUSK_HEAD_TTL_MS: '0', TUSK_ACCESS_LOG: 'off' };
  let tusk: Tusk = await startTusk({ pachd: pachd.address, dataDir, env });
  const { host } = new URL(tusk.url);
  const load = await startLoad(tusk, seed);
  const branch = repoOf(load.bucket);
  let outside: Outside = connectOutside(pachd.address);
  let visits = 0;
  let harm: Harm = NO_HARM;

  return {
    pachd,
    load,

    async strike({ method, when, blow }) {
      const open = OPEN_HEAD_METHODS.includes(method) ? await outside.start(branch) : undefined;
      await noteHarm();
      await pachd.arm(`${method} ${when} ${actionOf(blow)} once`);
      await pachd.struck();
      await land(blow);
      if (open !== undefined) await outside.finish(branch, open);
      visits += 1;
      await writeFromOutside(outside, load, String(visits));
      await waitForProgress(load, 10);
    },

    async check() {
      await load.stop();
      await expectAllWell(tusk.url, outside, load);
      await noteHarm();
      expect(harm).toEqual(NO_HARM);
    },

    async close() {
      outside.close();
      await load.stop().catch(() => {});
      await tusk.stop();
      await pachd.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };

  async function land(blow: Strike['blow']): Promise<void> {
    switch (blow) {
      case 'cut':
      case 'error':
        return;
      case 'pachd dies':
        outside.close();
        await pachd.revive();
        outside = connectOutside(pachd.address);
        return;
      case 'worker dies': {
        const victims = processesOf(tusk, 'worker-process');
        for (const { pid } of victims) process.kill(pid, 'SIGKILL');
        await eventually(
          'another worker runs',
          () => processesOf(tusk, 'worker-process'),
          (workers) => workers.some(({ pid }) => victims.every((victim) => victim.pid !== pid)),
        );
        return;
      }
      case 'gateway dies': {
        const victims = tusk.program.alive();
        const stopped = tusk.program.stop('SIGKILL');
        for (const { pid } of victims) if (pid !== tusk.program.pid) process.kill(pid, 'SIGKILL');
        await stopped;
        tusk.pachd.close();
        tusk = await startTusk({ pachd: pachd.address, dataDir, env: { ...env, TUSK_LISTEN: host } });
      }
    }
  }

  async function noteHarm(): Promise<void> {
    const now = await pachd.harm(outside.started);
    for (const key of Object.keys(NO_HARM) as (keyof Harm)[]) harm = { ...harm, [key]: Math.max(harm[key], now[key]) };
  }
}

function actionOf(blow: Strike['blow']): string {
  switch (blow) {
    case 'cut':
      return 'cut';
    case 'error':
      return 'error UNAVAILABLE';
    case 'pachd dies':
      return 'die';
    case 'worker dies':
    case 'gateway dies':
      return `delay ${HELD_MS}`;
  }
}
