import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPachd, type Pachd } from '../../../src/pachd/client.ts';
import type { MemberStatus } from '../../../src/pachd/member.ts';
import type { BranchRef, Caller, CommitRef } from '../../../src/pachd/model.ts';
import { openPool, type Pool, type PoolOptions } from '../../../src/pachd/pool.ts';
import type { Target } from '../../../src/pachd/resolver.ts';
import { eventually } from '../../support/eventually.ts';
import { type Program, startNode } from '../../support/program.ts';
import { connectDebug, type Debug } from '../devpachd-debug.ts';

/** One devpachd of several on one data folder, in which calls go wrong when a test says so. */
export interface Node {
  /** HOST:PORT, the same in all of its lives. */
  readonly address: string;
  readonly target: Target;
  readonly debug: Debug;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  ended(): Promise<void>;
  hasEnded(): boolean;
  kill(): Promise<void>;
  /** Starts it anew, at the same address. */
  revive(): Promise<void>;
}

/** Some pachds, and a pool of them. */
export interface Pachds {
  readonly nodes: readonly Node[];
  readonly pool: Pool;
  readonly pachd: Pachd;
  /** What the pool thinks of one. */
  status(node: Node): MemberStatus;
  /** Waits until the pool thinks that of one. */
  becomes(node: Node, state: MemberStatus['state']): Promise<MemberStatus>;
  stop(): Promise<void>;
}

/** What devpachd has at its first start. */
export const BRANCH: BranchRef = { project: 'bar', repo: 'foo', branch: 'master' };
const PATH = '/hello.txt';
export const CONTENT = 'hello\n';

export function someone(deadlineMs?: number): Caller {
  const caller = { token: undefined, signal: new AbortController().signal };
  return deadlineMs === undefined ? caller : { ...caller, deadlineMs };
}

/** @param hosts where each of them listens; with the first one's port, if `samePort` */
export async function startPachds(
  hosts: readonly string[],
  options: { readonly samePort?: boolean } & PoolOptions & {
      readonly targets?: (port: number) => readonly Target[];
    } = {},
): Promise<Pachds> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-pool-'));
  const nodes: Node[] = [];
  for (const host of hosts) {
    const port = options.samePort ? (nodes[0]?.target.port ?? 0) : 0;
    nodes.push(await startNodeOf(dataDir, `${host}:${port}`));
  }
  const targets = options.targets?.(nodes[0]?.target.port ?? 0) ?? nodes.map(({ target }) => target);
  const pool = openPool(targets, options);
  const find = ({ address }: Node) => pool.status().find((member) => member.address === address);
  const status = (node: Node): MemberStatus => {
    const found = find(node);
    if (found === undefined) throw new Error(`${node.address} is not in the pool`);
    return found;
  };
  const pachds: Pachds = {
    nodes,
    pool,
    pachd: createPachd(pool),
    status,
    async becomes(node, state) {
      await eventually(
        `${node.address} is ${state}`,
        () => find(node)?.state,
        (now) => now === state,
      );
      return status(node);
    },
    async stop() {
      pool.close();
      for (const node of nodes) {
        node.debug.close();
        if (!node.hasEnded()) await node.kill();
      }
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return pachds;
}

/** Waits until the pool has found all of them. */
export async function allServe({ nodes, becomes }: Pachds): Promise<void> {
  for (const node of nodes) await becomes(node, 'serving');
}

async function startNodeOf(dataDir: string, listen: string): Promise<Node> {
  let program = await launch(listen);
  const address = await program.message(asAddress);
  const [host = '', port = ''] = address.split(':');
  let ended = false;
  const watch = (watched: Program) => void watched.exited.then(() => (ended = watched === program));
  watch(program);

  function launch(at: string): Program {
    return startNode('services/devpachd/src/main.ts', {
      args: ['--listen', at, '--data', dataDir, '--seed', '--fault-control'],
    });
  }

  return {
    address,
    target: { host, port: Number(port), tls: false },
    debug: connectDebug(address),
    signal: (signal) => program.signal(signal),
    ended: async () => void (await program.exited),
    hasEnded: () => ended,
    kill: async () => void (await program.stop('SIGKILL')),
    async revive() {
      program = launch(address);
      ended = false;
      watch(program);
      await program.message(asAddress);
    },
  };
}

function asAddress(message: unknown): string | undefined {
  const { ready, address } = (message ?? {}) as Readonly<{ ready?: unknown; address?: unknown }>;
  return ready === true && typeof address === 'string' ? address : undefined;
}

/** The head of the branch of the first start, and the text of its file. */
export async function headOf(pachd: Pachd): Promise<CommitRef> {
  const { headId } = await pachd.inspectBranch(someone(), BRANCH);
  return { project: BRANCH.project, repo: BRANCH.repo, commitId: headId };
}

export async function textOf(pachd: Pachd, commit: CommitRef): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const bytes of pachd.readFile(someone(), commit, PATH, 0)) chunks.push(bytes);
  return Buffer.concat(chunks).toString();
}

/** Readers that ask pachd small and streamed questions, over and over, and note what failed. */
export function startReaders(pachd: Pachd, commit: CommitRef, count: number) {
  const failures: unknown[] = [];
  let done = 0;
  let over = false;
  const working = Array.from({ length: count }, async () => {
    while (!over) {
      try {
        const { headId } = await pachd.inspectBranch(someone(), BRANCH);
        const found = await pachd.statFile(someone(), commit, PATH);
        const text = await textOf(pachd, commit);
        if (headId !== commit.commitId || found?.sizeBytes !== CONTENT.length || text !== CONTENT) {
          throw new Error(`read ${headId}, ${found?.sizeBytes} bytes, ${JSON.stringify(text)}`);
        }
      } catch (error) {
        failures.push(error);
      }
      done += 1;
    }
  });
  return {
    failures,
    /** Waits until each question was asked so many times more. */
    async more(rounds: number): Promise<void> {
      const goal = done + rounds;
      await eventually(
        `${rounds} more rounds`,
        () => done,
        (value) => value >= goal,
      );
    },
    async stop(): Promise<void> {
      over = true;
      await Promise.all(working);
    },
  };
}
