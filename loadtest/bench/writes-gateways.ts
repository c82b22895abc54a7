// Two gateways beside each other for the figures of writes: one that gathers writes into commits, and one that makes a commit of each.
import { Agent, request } from 'node:http';
import { spawnDevpachd, tempFolder } from '../../services/devpachd/test/harness.ts';
import { freshBucket, repoOf } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { workersOf } from '../../services/gateway/test/support/status.ts';
import { startTusk, type Tusk } from '../../services/gateway/test/support/tusk.ts';

/** How the gateway makes commits; the name is that of the setting's value. */
export const MODES = ['on', 'off'] as const;
export type Mode = (typeof MODES)[number];

export interface Gateway {
  readonly mode: Mode;
  readonly tusk: Tusk;
  /** Makes a bucket of its own. */
  bucket(): Promise<string>;
  /** Resolves when nothing is under way, and every commit is finished. */
  idle(): Promise<void>;
}

export type Gateways = Readonly<Record<Mode, Gateway>>;

/**
 * Runs `work` with both, each before a devpachd with the latencies of a real pachd.
 * @param pachd a pachd to use in its place, HOST:PORT, for both
 */
export async function withGateways<T>(pachd: string | undefined, work: (gateways: Gateways) => Promise<T>): Promise<T> {
  const end: (() => unknown)[] = [];
  const start = async (mode: Mode): Promise<Gateway> => {
    const address = pachd ?? (await ownPachd(end));
    const tusk = await startTusk({ pachd: address, env: { TUSK_WRITE_BATCH: mode, TUSK_ACCESS_LOG: 'off' } });
    end.push(() => tusk.stop());
    return { mode, tusk, bucket: () => freshBucket(tusk), idle: () => idle(tusk) };
  };
  try {
    return await work({ on: await start('on'), off: await start('off') });
  } finally {
    for (const stop of end.reverse()) await stop();
  }
}

async function ownPachd(end: (() => unknown)[]): Promise<string> {
  const folder = tempFolder();
  end.push(folder.remove);
  const server = await spawnDevpachd(folder.path, ['--latency', 'real']);
  end.push(() => server.end());
  return server.address;
}

async function idle(tusk: Tusk): Promise<void> {
  await eventually(
    'the gateway has nothing left to do',
    () => workersOf(tusk),
    (workers) =>
      workers.every(({ requestsInFlight, unfinishedCommits }) => requestsInFlight === 0 && unfinishedCommits === 0),
  );
}

/** Puts so many files of 1 KB into a branch, by pachd itself and in one commit. */
export async function fill({ pachd }: Tusk, bucket: string, files: number): Promise<void> {
  const contents = Array.from({ length: files }, (_, at) => [`there/${at}`, sampleBytes(1_000, `${at}`)]);
  await pachd.putFiles(repoOf(bucket), Object.fromEntries(contents));
}

export const newAgent = (connections: number): Agent => new Agent({ keepAlive: true, maxSockets: connections });

/** @returns the status; 0 if there was no answer. */
export function put(agent: Agent, url: string, path: string, body: Uint8Array, signal?: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-length': body.length };
    const sent = request(url + path, { method: 'PUT', agent, headers, ...(signal && { signal }) }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}
