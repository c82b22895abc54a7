// How soon a PUT is answered on an idle branch, and how many a second by many clients of one branch.
import { setMaxListeners } from 'node:events';
import { repoOf } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { median, quantile } from './figures.ts';
import { type Gateway, newAgent, put } from './writes-gateways.ts';

const OBJECT_BYTES = 4096;

/** @returns the median time of a PUT when nothing else happens, in milliseconds. */
export async function idlePut({ tusk, bucket, idle }: Gateway, count: number): Promise<number> {
  const name = await bucket();
  const agent = newAgent(1);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    await idle();
    const begunMs = performance.now();
    const status = await put(agent, tusk.url, `/${name}/${i}`, sampleBytes(OBJECT_BYTES, `${i}`));
    if (status !== 200) throw new Error(`PUT answered ${status}`);
    times.push(performance.now() - begunMs);
  }
  agent.destroy();
  return median(times);
}

export interface Load {
  /** Acknowledged PUTs a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that tell the client to come again. */
  readonly slowDowns: number;
}

/** Lets clients put objects of their own for a while. What is under way at its end does not count. @throws on any other error */
export async function putForAWhile({ tusk, bucket, idle }: Gateway, clients: number, seconds: number): Promise<Load> {
  const name = await bucket();
  await idle();
  const agent = newAgent(clients);
  const times: number[] = [];
  let slowDowns = 0;
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const body = sampleBytes(OBJECT_BYTES);
  const client = async (_: unknown, number: number): Promise<void> => {
    for (let i = 0; !over.signal.aborted; i++) {
      const begunMs = performance.now();
      const status = await put(agent, tusk.url, `/${name}/${number}/${i}`, body, over.signal);
      if (status === 200) times.push(performance.now() - begunMs);
      else if (status === 503) slowDowns += 1;
      else if (!over.signal.aborted) throw new Error(`PUT answered ${status}`);
    }
  };
  setTimeout(() => over.abort(), seconds * 1000);
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  await idle();
  return { perSecond: times.length / seconds, p50Ms: median(times), p99Ms: quantile(times, 0.99), slowDowns };
}

/** Lets clients put a number of objects. @returns how many commits they became */
export async function putMany(
  { tusk, bucket, idle }: Gateway,
  clients: number,
  objects: number,
): Promise<Load & { readonly commits: number }> {
  const name = await bucket();
  const before = await tusk.pachd.commitCount(repoOf(name));
  const agent = newAgent(clients);
  const times: number[] = [];
  const body = sampleBytes(OBJECT_BYTES);
  let next = 0;
  const startedMs = performance.now();
  const client = async (): Promise<void> => {
    while (next < objects) {
      const begunMs = performance.now();
      const status = await put(agent, tusk.url, `/${name}/${next++}`, body);
      if (status !== 200) throw new Error(`PUT answered ${status}`);
      times.push(performance.now() - begunMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - startedMs) / 1000;
  agent.destroy();
  await idle();
  const commits = (await tusk.pachd.commitCount(repoOf(name))) - before;
  return { commits, perSecond: objects / seconds, p50Ms: median(times), p99Ms: quantile(times, 0.99), slowDowns: 0 };
}
