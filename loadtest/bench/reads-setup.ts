// What the figures of reads stand on: a devpachd with a real pachd's latencies, a folder of small objects in it, and who reads them.
import { Agent, request } from 'node:http';
import { spawnDevpachd, tempFolder } from '../../services/devpachd/test/harness.ts';
import { createPachd, type Pachd } from '../../services/gateway/src/pachd/client.ts';
import type { CommitRef } from '../../services/gateway/src/pachd/model.ts';
import { openPool } from '../../services/gateway/src/pachd/pool.ts';
import { connectDebug } from '../../services/gateway/test/integration/devpachd-debug.ts';
import { connectPachd } from '../../services/gateway/test/support/pachd.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../../services/gateway/test/support/tusk.ts';

const REPO = { project: 'default', repo: 'reads' } as const;
export const BUCKET = 'master.reads.default';

export interface Ground {
  readonly address: string;
  /** pachd's own calls. */
  readonly pachd: Pachd;
  readonly token: string | undefined;
  /** The commit that everything is in. */
  readonly commit: CommitRef;
  /** What a gateway that has just been started is asked, and what pachd is asked meanwhile. */
  withTusk<T>(env: Readonly<Record<string, string>>, work: (tusk: Tusk) => Promise<T>): Promise<T>;
  /** How many calls of each kind pachd got meanwhile, without health checks. */
  callsOf(work: () => Promise<unknown>): Promise<ReadonlyMap<string, number>>;
}

/** @param files their contents by path */
export async function withGround<T>(
  { auth, files }: { readonly auth: boolean; readonly files: Readonly<Record<string, Uint8Array>> },
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const folder = tempFolder();
  const server = await spawnDevpachd(folder.path, ['--latency', 'real', ...(auth ? ['--auth'] : [])]);
  const root = connectPachd(server.address, auth ? ROOT_TOKEN : undefined);
  const debug = connectDebug(server.address);
  const [host = '', port = ''] = server.address.split(':');
  const pool = openPool([{ host, port: Number(port), tls: false }]);
  try {
    // Not root: pachd lets an administrator of the cluster do with sets what it lets nobody else.
    const token = auth ? await root.robotToken('reader') : undefined;
    await root.createRepo(REPO);
    if (auth) await root.grant(REPO, 'robot:reader', ['repoReader']);
    const commitId = await root.putFiles({ ...REPO, branch: 'master' }, files);
    return await work({
      address: server.address,
      pachd: createPachd(pool),
      token,
      commit: { ...REPO, commitId },
      async withTusk(env, use) {
        const tusk = await startTusk({ pachd: server.address, env: { TUSK_ACCESS_LOG: 'off', ...env } });
        try {
          return await use(tusk);
        } finally {
          await tusk.stop();
        }
      },
      async callsOf(use) {
        const before = (await debug.counters()).calls;
        await use();
        const after = (await debug.counters()).calls;
        const counted = Object.entries(after).map(
          ([method, calls]) => [method, calls - (before[method] ?? 0)] as const,
        );
        return new Map(counted.filter(([method, calls]) => calls > 0 && /^(pfs|auth)/.test(method)));
      },
    });
  } finally {
    pool.close();
    debug.close();
    root.close();
    await server.end();
    folder.remove();
  }
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
