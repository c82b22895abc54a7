// What scenarios read and write: made before they begin, known byte by byte, and deleted afterwards.
import { fail } from 'k6';
import { sha256 } from 'k6/crypto';
import { type Call, createBucket, deleteBucket, listObjects, send, sendAll } from './s3.ts';
import { CLEANS } from './settings.ts';

/** What setup hands to the users of a scenario, and to teardown. */
export interface Data {
  readonly buckets: readonly string[];
}

// k6's, which its types leave out.
declare const console: { log(text: string): void; warn(text: string): void };

const PROGRESS_EVERY_MS = 1_000;

/** Makes a repo's branches, with a name that is not taken. @returns the buckets' names */
export function makeBuckets(repo: string, branches: readonly string[] = ['master']): readonly string[] {
  const unique = `load-${repo}-${Date.now().toString(36)}`;
  const buckets = branches.map((branch) => `${branch}.${unique}`);
  // The first one alone: it makes the repo.
  succeed([createBucket(buckets[0] ?? '')], 'buckets');
  succeed(buckets.slice(1).map(createBucket), 'buckets');
  return buckets;
}

/** Sends what has to succeed before a scenario can begin, and tells how far it is. */
export function succeed(calls: readonly Call[], what: string): void {
  let toldMs = Date.now();
  const answers = sendAll(calls, (answered) => {
    if (Date.now() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = Date.now();
    console.log(`${answered} of ${calls.length} ${what}`);
  });
  const bad = answers.find(({ status }) => status !== 200 && status !== 204);
  if (bad !== undefined) fail(`${what}: ${bad.status} ${bad.error} ${String(bad.body).slice(0, 500)}`);
}

/** The content of an object, which no other key and no other version of it has. */
export function contentOf(key: string, bytes: number, version = 0): string {
  const line = `${key} ${version}\n`;
  return line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
}

/** Bytes that differ for each seed, as multipart uploads take them. */
export function bytesOf(seed: string, size: number): ArrayBuffer {
  const bytes = new Uint8Array(size);
  const block = new Uint8Array(sha256(seed, 'binary'));
  bytes.set(block.subarray(0, size));
  // Twice as many each time: every user makes them, and loops are slow here.
  for (let done = block.length; done < size; done *= 2) bytes.copyWithin(done, 0, Math.min(done, size - done));
  return bytes.buffer;
}

/** One of them, at random. */
export function anyOf<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T;
}

/** The keys of a page of a list. */
export function keysIn(body: unknown): readonly string[] {
  return [...String(body).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key ?? '');
}

/** Deletes all that is in the buckets, and them; what cannot be deleted is told of, and no fault of the test. Every scenario exports it. */
export function teardown({ buckets }: Data): void {
  if (!CLEANS) return;
  try {
    for (const bucket of buckets) empty(bucket);
    succeed(buckets.map(deleteBucket), 'buckets to delete');
  } catch (error) {
    console.warn(`not all of ${buckets.join(', ')} could be deleted: ${error}`);
  }
}

function empty(bucket: string): void {
  for (;;) {
    const keys = keysIn(send(listObjects(bucket, {})).body);
    if (keys.length === 0) return;
    console.log(`deleting ${keys.length} objects of ${bucket}`);
    const body = `<Delete><Quiet>true</Quiet>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;
    succeed([{ operation: 'DeleteObjects', method: 'POST', bucket, query: { delete: '' }, body }], 'deletes');
  }
}
