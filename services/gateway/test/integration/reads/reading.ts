import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freshBucket, repoOf } from '../../support/buckets.ts';
import { sampleBytes } from '../../support/clients.ts';
import { startDevpachd } from '../../support/devpachd.ts';
import { type Answer, encode, type SendOptions, send } from '../../support/http.ts';
import { connectPachd, type Pachd } from '../../support/pachd.ts';
import { keyOf } from '../../support/signature.ts';
import { ROOT_TOKEN, startTusk } from '../../support/tusk.ts';
import { connectDebug, type Debug, harmDone, NO_HARM } from '../devpachd-debug.ts';

/** A gateway before a devpachd whose calls are counted. */
export interface Reading {
  readonly pachd: Pachd;
  readonly debug: Debug;
  bucket(): Promise<string>;
  /** Puts files by pachd itself, as one commit of a bucket. @returns their contents by key */
  fill(bucket: string, keys: readonly string[], sizeBytes: number): Promise<ReadonlyMap<string, Buffer>>;
  /** Opens a commit on a bucket's branch, by pachd itself. @returns its id */
  startCommit(bucket: string): Promise<string>;
  ask(method: string, bucket: string, key: string, options?: SendOptions): Promise<Answer>;
  /** Which calls that read files pachd got meanwhile, and how many. */
  callsOf(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

const READS = ['GetFile', 'GetFileTAR', 'GetFileSet', 'GlobFile', 'InspectFile', 'ListFile', 'WalkFile'];

export async function startReading(auth: boolean, env: Readonly<Record<string, string>> = {}): Promise<Reading> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-reads-'));
  const devpachd = await startDevpachd({ dataDir, auth, faultControl: true });
  const tusk = await startTusk({ pachd: devpachd.address, env: { TUSK_ACCESS_LOG: 'off', ...env } });
  const pachd = connectPachd(devpachd.address, auth ? ROOT_TOKEN : undefined);
  const debug = connectDebug(devpachd.address);
  // Not root: pachd lets an administrator of the cluster do with sets what it lets nobody else.
  const key = keyOf(auth ? await pachd.robotToken('reader') : 'anybody');
  let started = 0;
  const calls = async () => {
    const counters = await debug.counters();
    return Object.fromEntries(READS.map((name) => [name, counters.calls[`pfs_v2.API/${name}`] ?? 0]));
  };
  return {
    pachd,
    debug,
    bucket: () => freshBucket(tusk, key),
    async fill(bucket, keys, sizeBytes) {
      const contents = new Map(keys.map((name) => [name, sampleBytes(sizeBytes, `${bucket} ${name}`)]));
      started += 1;
      await pachd.putFiles(repoOf(bucket), Object.fromEntries(contents));
      return contents;
    },
    startCommit(bucket) {
      started += 1;
      return pachd.startCommit(repoOf(bucket));
    },
    ask: (method, bucket, name, options) => send(tusk.url, method, `/${bucket}/${encode(name)}`, { key, ...options }),
    async callsOf(work) {
      const before = await calls();
      await work();
      const after = await calls();
      return Object.fromEntries(
        Object.entries(after).flatMap(([name, count]) =>
          count > before[name]! ? [[name, count - before[name]!]] : [],
        ),
      );
    },
    async stop() {
      expect(await harmDone(devpachd.address, started)).toEqual(NO_HARM);
      debug.close();
      pachd.close();
      await tusk.stop();
      await devpachd.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
