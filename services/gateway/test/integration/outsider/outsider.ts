import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freshBucket, repoOf } from '../../support/buckets.ts';
import { makeFolder, pythonProgram, runCommand } from '../../support/clients.ts';
import { startDevpachd } from '../../support/devpachd.ts';
import { ROOT } from '../../support/program.ts';
import { startTusk } from '../../support/tusk.ts';
import { noteAtPachd, noteFinalState, startLoad, waitForProgress } from '../chaos/load.ts';
import { harmDone, NO_HARM } from '../devpachd-debug.ts';
import { connectOutside } from '../outside.ts';

const SCRIPT = join(ROOT, 'services/gateway/test/integration/outsider/outsider.py');
/** So that commits of both are unfinished at once. */
const FINISH_MS = 50;
const ROUNDS_OF_LOAD = 50;

interface Report {
  readonly refused: readonly string[];
  readonly started: number;
  /** In base64; null: deleted. */
  readonly left: Readonly<Record<string, string | null>>;
}

/**
 * Lets Pachyderm's own client write to a branch, with and without clients of S3 that write hard to it. It is refused nothing in either,
 * nothing of anybody's is lost, and nothing came of tusk that a real pachd would not have survived.
 */
export async function expectNoHarm({ seed, steps }: { readonly seed: number; readonly steps: number }): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-outsider-'));
  const devpachd = await startDevpachd({ dataDir, finishMs: FINISH_MS });
  const tusk = await startTusk({ pachd: devpachd.address, env: { TUSK_ACCESS_LOG: 'off' } });
  const outside = connectOutside(devpachd.address);
  try {
    const alone = await runClient(devpachd.address, await freshBucket(tusk), seed, steps);
    expect(alone.refused).toEqual([]);

    const load = await startLoad(tusk, seed);
    await waitForProgress(load, ROUNDS_OF_LOAD);
    const before = load.record.known();
    const beside = await runClient(devpachd.address, load.bucket, seed, steps);
    const during = load.record.known() - before;
    await load.stop();
    expect(beside.refused).toEqual([]);
    expect(during).toBeGreaterThan(ROUNDS_OF_LOAD);

    const branch = repoOf(load.bucket);
    const [head] = await outside.commits(branch);
    for (const [path, content] of Object.entries(beside.left)) {
      const found = await outside.read(branch, head?.commit?.id ?? '', path);
      expect(found?.toString('base64') ?? null, path).toBe(content);
    }
    await noteFinalState(tusk.url, load);
    await noteAtPachd(outside, load);
    expect(load.record.contradictions()).toEqual([]);
    expect(await harmDone(devpachd.address, alone.started + beside.started)).toEqual(NO_HARM);
  } finally {
    outside.close();
    await tusk.stop();
    await devpachd.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function runClient(address: string, bucket: string, seed: number, steps: number): Promise<Report> {
  const folder = await makeFolder();
  const { code, stdout, stderr } = await runCommand(pythonProgram('python'), [SCRIPT], {
    env: { PACHD: address, BUCKET: bucket, SEED: String(seed), STEPS: String(steps), PYTHONDONTWRITEBYTECODE: '1' },
    cwd: folder.path,
  });
  await folder.remove();
  if (code !== 0) throw new Error(`the client ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Report;
}
