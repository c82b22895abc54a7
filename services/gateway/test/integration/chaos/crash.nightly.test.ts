import { afterEach, expect, it } from 'vitest';
import { BLOWS, OPEN_HEAD_METHODS, type Scene, type Strike, startScene } from './crash.ts';
import { waitForProgress } from './load.ts';

const MINUTES = 60_000;

let scene: Scene | undefined;
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});

it.each(BLOWS.flatMap((blow) => [31, 32].map((seed) => [blow, seed] as const)))(
  '%s, before and after every call that tusk makes: nothing is lost, half done or left open (seed %i)',
  async (blow, seed) => {
    scene = await startScene(seed);
    await waitForProgress(scene.load, 200);
    const { calls } = await scene.pachd.debug.counters();
    const seen = Object.keys(calls).flatMap((method) => /^pfs_v2\.API\/(.*)$/.exec(method)?.[1] ?? []);
    const methods = [...new Set([...seen, ...OPEN_HEAD_METHODS])].filter((method) => !ONLY_AT_FIRST.has(method));
    expect(methods).toEqual(expect.arrayContaining(['ModifyFile', 'CreateFileSet', 'ComposeFileSet', 'InspectCommit']));
    for (const method of methods) {
      for (const when of ['before', 'after'] as const) await scene.strike({ method, when, blow } satisfies Strike);
    }
    await scene.check();
  },
  20 * MINUTES,
);

/** What made the bucket, and is not called again. */
const ONLY_AT_FIRST: ReadonlySet<string> = new Set(['CreateProject', 'CreateRepo', 'CreateBranch', 'InspectProject']);
