// How soon a PUT is answered on an idle branch, and how many a second by many clients of one branch.
import { setMaxListeners } from 'node:events';
import { repoOf } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { median, quantile } from './figures.ts';
import { fill, type Gateway, newAgent, put } from './writes-gateways.ts';

const OBJECT_BYTES = 4096;

/** @param files how many the branch has before @returns the median time of a PUT when nothing else happens, in milliseconds. */
export async function idlePut({ tusk, bucket, idle }: Gateway, count: number, files: number): Promise<number> {
  const name = await bucket();
  if (files > 0) await fill(tusk, name, files);
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
  /** How many commits they became. */
  readonly commits: number;
}

/**
 * Lets clients put objects of their own into one branch, for a while or until there are so many. What is under way when the time is
 * over does not count. @throws on any error but SlowDown
 */
export async function putAtOnce(
  { tusk, bucket, idle }: Gateway,
  clients: number,
  until: { readonly seconds: number } | { readonly objects: number },
): Promise<Load> {
  const name = await bucket();
  await idle();
  const before = await tusk.pachd.commitCount(repoOf(name));
  const agent = newAgent(clients);
  const body = sampleBytes(OBJECT_BYTES);
  const times: number[] = [];
  let slowDowns = 0;
  let begun = 0;
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const isOver = () => over.signal.aborted || ('objects' in until && begun >= until.objects);
  const client = async (): Promise<void> => {
    while (!isOver()) {
      const object = begun++;
      const begunMs = performance.now();
      // As many folders as there are clients.
      const status = await put(agent, tusk.url, `/${name}/${object % clients}/${object}`, body, over.signal);
      if (status === 200) times.push(performance.now() - begunMs);
      else if (status === 503) slowDowns += 1;
      else if (!over.signal.aborted) throw new Error(`PUT answered ${status}`);
    }
  };
  const startedMs = performance.now();
  if ('seconds' in until) setTimeout(() => over.abort(), until.seconds * 1000);
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - startedMs) / 1000;
  agent.destroy();
  await idle();
  const commits = (await tusk.pachd.commitCount(repoOf(name))) - before;
  return { perSecond: times.length / seconds, p50Ms: median(times), p99Ms: quantile(times, 0.99), slowDowns, commits };
}
