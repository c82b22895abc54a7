// Distinct cold objects of one folder, by many readers: in any order and in order, beside reads of the commit by its id.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { awsEnvironment, makeFolder, pythonProgram, sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { cleanEnvironment } from '../../services/gateway/test/support/program.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import type { Tusk } from '../../services/gateway/test/support/tusk.ts';
import { callsOf, fetchBytes, type Ground, newAgent, rateOf, withGround } from './reads-setup.ts';

const OBJECTS = 10_000;
const OBJECT_BYTES = 1_024;
const SYNCED_BYTES = 4_096;
const READERS = 64;
/** As many as the aws cli has under way. */
const SYNC_READERS = 10;
/** Of what is read by the commit's id, which takes long. */
const SAMPLE = 640;
const SEED = 12_345;

export interface ColdFigure {
  readonly name: string;
  readonly perSecond: number;
  /** As a multiple of the reads by the commit's id. */
  readonly ratio: number;
  readonly callsPer1000: number;
}

const pathOf = (at: number): string => `d/${String(at).padStart(6, '0')}`;
const PATHS = Array.from({ length: OBJECTS }, (_, at) => pathOf(at));

/** @param sizeBytes of each object */
const filesOf = (sizeBytes: number): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(PATHS.map((path) => [path, sampleBytes(sizeBytes, path)]));

export function measureCold(pachd: string | undefined): Promise<readonly ColdFigure[]> {
  return withGround({ pachd, auth: false, files: filesOf(OBJECT_BYTES) }, async (ground) => {
    const orders = { 'any order': shuffled(PATHS), 'in order': PATHS } as const;
    const base = await byCommit(ground, orders['any order'].slice(0, SAMPLE), READERS);
    const figures: ColdFigure[] = [{ name: 'GetFile by the commit', perSecond: base, ratio: 1, callsPer1000: 1_000 }];
    for (const [order, paths] of Object.entries(orders)) {
      for (const batch of ['off', 'on'] as const) {
        const read = batch === 'on' ? paths : paths.slice(0, SAMPLE);
        const figure = await byTusk(ground, batch, read);
        figures.push({
          name: `tusk, ${order}${batch === 'on' ? '' : ', one by one'}`,
          ...figure,
          ratio: figure.perSecond / base,
        });
      }
    }
    return figures;
  });
}

/**
 * `aws s3 sync` down, beside what reads by the commit's id take alone, as many at once. The second time the gateway has all of it in
 * memory, so what it takes then is the command's own.
 */
export function measureSyncDown(pachd: string | undefined): Promise<readonly ColdFigure[]> {
  return withGround({ pachd, auth: false, files: filesOf(SYNCED_BYTES) }, async (ground) => {
    const base = await byCommit(ground, PATHS.slice(0, SAMPLE / 2), SYNC_READERS);
    const bare = { name: 'GetFile by the commit, 10 at once', perSecond: base, ratio: 1, callsPer1000: 1_000 };
    const synced = async (tusk: Tusk, name: string): Promise<ColdFigure> => {
      let perSecond = 0;
      const calls = await callsOf(tusk, async () => {
        perSecond = await syncDown(tusk, ground.bucket);
      });
      return { name, perSecond, ratio: perSecond / base, callsPer1000: per1000(calls, OBJECTS) };
    };
    return ground.withTusk({}, async (tusk) => [
      bare,
      await synced(tusk, 'aws s3 sync'),
      await synced(tusk, 'aws s3 sync, once more into another folder'),
    ]);
  });
}

/** @returns files a second */
async function syncDown({ url }: Tusk, bucket: string): Promise<number> {
  const folder = await makeFolder();
  try {
    const env = { ...cleanEnvironment(), ...awsEnvironment(folder.path, keyOf('any-key')) } as NodeJS.ProcessEnv;
    const args = ['--endpoint-url', url, 's3', 'sync', '--only-show-errors', `s3://${bucket}`];
    const begunMs = performance.now();
    await promisify(execFile)(pythonProgram('aws'), [...args, join(folder.path, 'tree')], { env });
    return OBJECTS / ((performance.now() - begunMs) / 1_000);
  } finally {
    await folder.remove();
  }
}

function byCommit({ pachd, token, commit }: Ground, paths: readonly string[], readers: number): Promise<number> {
  return rateOf(paths, readers, async (path) => {
    const caller = { token, signal: new AbortController().signal };
    for await (const _ of pachd.readFile(caller, commit, `/${path}`, 0));
  });
}

function byTusk(ground: Ground, batch: 'on' | 'off', paths: readonly string[]) {
  return ground.withTusk({ TUSK_READ_BATCH: batch }, async (tusk) => {
    const agent = newAgent(READERS);
    let perSecond = 0;
    const calls = await callsOf(tusk, async () => {
      perSecond = await rateOf(paths, READERS, async (path) => {
        const bytes = await fetchBytes(agent, `${tusk.url}/${ground.bucket}/${path}`, 'GET');
        if (bytes !== OBJECT_BYTES) throw new Error(`${path} has ${bytes} bytes`);
      });
    });
    agent.destroy();
    return { perSecond, callsPer1000: per1000(calls, paths.length) };
  });
}

function per1000(calls: ReadonlyMap<string, number>, objects: number): number {
  return ([...calls.values()].reduce((sum, count) => sum + count, 0) / objects) * 1_000;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  const mixed = [...items];
  let state = SEED;
  for (let at = mixed.length - 1; at > 0; at--) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const other = state % (at + 1);
    [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
  }
  return mixed;
}
