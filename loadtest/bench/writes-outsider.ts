// What a client of pachd's own notices of a gateway that writes hard to its branch.
import { repoOf } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { connectPachd } from '../../services/gateway/test/support/pachd.ts';
import { median } from './figures.ts';
import { type Gateway, newAgent, put } from './writes-gateways.ts';

const STREAM_BYTES = 1 << 20;
const CLIENTS = 64;

export interface Outsider {
  /** The median time of its ModifyFile stream, in milliseconds. */
  readonly besideTuskMs: number;
  readonly besideCommitsMs: number;
  /** How many commits a second were made beside it. */
  readonly commitsPerSecond: number;
}

/** Measures its stream beside full load, and beside as many commits a second that another client of pachd makes. */
export async function measureOutsider(gateway: Gateway, streams: number): Promise<Outsider> {
  const { tusk } = gateway;
  const beside = await besideTusk(gateway, streams);
  const other = connectPachd(tusk.pachdAddress);
  const name = repoOf(await gateway.bucket());
  let over = false;
  const commits = (async () => {
    for (let i = 0, dueMs = performance.now(); !over; i++, dueMs += 1000 / beside.commitsPerSecond) {
      await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
      await other.modifyBranch(name, { [`theirs/${i}`]: 'x' });
    }
  })();
  const besideCommitsMs = await timeStreams(tusk.pachdAddress, name, streams);
  over = true;
  await commits;
  other.close();
  await gateway.idle();
  return { besideTuskMs: beside.ms, besideCommitsMs, commitsPerSecond: beside.commitsPerSecond };
}

async function besideTusk({ tusk, bucket, idle }: Gateway, streams: number) {
  const branch = await bucket();
  const name = repoOf(branch);
  const agent = newAgent(CLIENTS);
  let over = false;
  const body = sampleBytes(4096);
  const clients = Array.from({ length: CLIENTS }, async (_, number) => {
    for (let i = 0; !over; i++) await put(agent, tusk.url, `/${branch}/${number}/${i}`, body);
  });
  const before = await tusk.pachd.commitCount(name);
  const begunMs = performance.now();
  const ms = await timeStreams(tusk.pachdAddress, name, streams);
  const seconds = (performance.now() - begunMs) / 1000;
  const commitsPerSecond = ((await tusk.pachd.commitCount(name)) - before - streams) / seconds;
  over = true;
  await Promise.all(clients);
  agent.destroy();
  await idle();
  return { ms, commitsPerSecond };
}

async function timeStreams(pachd: string, name: ReturnType<typeof repoOf>, streams: number): Promise<number> {
  const outsider = connectPachd(pachd);
  const content = sampleBytes(STREAM_BYTES);
  const times: number[] = [];
  for (let i = 0; i < streams; i++) {
    const begunMs = performance.now();
    await outsider.modifyBranch(name, { [`outsider/${i}`]: content });
    times.push(performance.now() - begunMs);
  }
  outsider.close();
  return median(times);
}
