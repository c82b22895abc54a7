// What the figures of reads stand on: a pachd, or a devpachd with a real one's latencies, with files in it, and who reads them.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { spawnDevpachd, tempFolder } from '../../services/devpachd/test/harness.ts';
import { createPachd, type Pachd } from '../../services/gateway/src/pachd/client.ts';
import type { CommitRef } from '../../services/gateway/src/pachd/model.ts';
import { openPool } from '../../services/gateway/src/pachd/pool.ts';
import { scrape } from '../../services/gateway/test/support/metrics.ts';
import { connectPachd } from '../../services/gateway/test/support/pachd.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../../services/gateway/test/support/tusk.ts';

export interface Ground {
  readonly address: string;
  /** pachd's own calls. */
  readonly pachd: Pachd;
  readonly token: string | undefined;
  /** The commit that everything is in. */
  readonly commit: CommitRef;
  /** The bucket of its branch. */
  readonly bucket: string;
  /** What a gateway that has just been started is asked, and what pachd is asked meanwhile. */
  withTusk<T>(env: Readonly<Record<string, string>>, work: (tusk: Tusk) => Promise<T>): Promise<T>;
}

export interface GroundOptions {
  /** A pachd that is there, HOST:PORT, with auth off; undefined: a devpachd. */
  readonly pachd: string | undefined;
  readonly auth: boolean;
  /** Their contents by path. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

export async function withGround<T>(options: GroundOptions, work: (ground: Ground) => Promise<T>): Promise<T> {
  const { auth, files } = options;
  const folder = tempFolder();
  const own =
    options.pachd === undefined
      ? await spawnDevpachd(folder.path, ['--latency', 'real', ...(auth ? ['--auth'] : [])])
      : undefined;
  const address = own?.address ?? options.pachd ?? '';
  const root = connectPachd(address, auth ? ROOT_TOKEN : undefined);
  const [host = '', port = ''] = address.split(':');
  const repo = { project: 'default', repo: `reads-${randomUUID()}` };
  const pool = openPool([{ host, port: Number(port), tls: false }]);
  try {
    // Not root: pachd lets an administrator of the cluster do with sets what it lets nobody else.
    const token = auth ? await root.robotToken('reader') : undefined;
    await root.createRepo(repo);
    if (auth) await root.grant(repo, 'robot:reader', ['repoReader']);
    const commitId = await root.putFiles({ ...repo, branch: 'master' }, files);
    return await work({
      address,
      pachd: createPachd(pool),
      token,
      commit: { ...repo, commitId },
      bucket: `master.${repo.repo}.default`,
      async withTusk(env, use) {
        const tusk = await startTusk({ pachd: address, env: { TUSK_ACCESS_LOG: 'off', ...env } });
        try {
          return await use(tusk);
        } finally {
          await tusk.stop();
        }
      },
    });
  } finally {
    pool.close();
    root.close();
    await own?.end();
    folder.remove();
  }
}

/** How many calls of each kind a gateway made of pachd meanwhile, each try by itself, without health checks. */
export async function callsOf(tusk: Tusk, work: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const counts = async () => {
    const { samples } = await scrape(tusk);
    const calls = samples.filter(({ name }) => name === 'tusk_pachd_call_seconds_count');
    return new Map(calls.map(({ labels, value }) => [labels['method'] ?? '', value]));
  };
  const before = await counts();
  await work();
  const counted = [...(await counts())].map(([method, calls]) => [method, calls - (before.get(method) ?? 0)] as const);
  return new Map(counted.filter(([method, calls]) => calls > 0 && method !== 'GetVersion'));
}

/** Lets so many readers at once take one item after the other. @returns items a second */
export async function rateOf<T>(
  items: readonly T[],
  readers: number,
  read: (item: T) => Promise<void>,
): Promise<number> {
  let next = 0;
  const reader = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await read(item);
  };
  const begunMs = performance.now();
  await Promise.all(Array.from({ length: readers }, reader));
  return items.length / ((performance.now() - begunMs) / 1_000);
}

export const newAgent = (connections: number): Agent => new Agent({ keepAlive: true, maxSockets: connections });

/** @returns how many bytes came @throws when the answer is another than `status` */
export function fetchBytes(
  agent: Agent,
  url: string,
  method: 'GET' | 'HEAD',
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => {
        if (answer.statusCode === status) resolve(bytes);
        else reject(new Error(`${method} ${url} answered ${answer.statusCode}`));
      });
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
