// Readers and writers of one bucket, each with an SDK client of its own as it comes, and what they were told.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { createLedger } from './faults-ledger.ts';

const BUCKET = 'master.foo.bar';
const WRITERS = 8;
const READERS = 8;
/** Of each writer. */
const KEYS = 32;
const BODY_BYTES = 1024;
/** Between a reader's requests: the machine is to have room for what is looked at. */
const READER_PAUSE_MS = 10;

export interface Outcome {
  readonly reads: Side;
  readonly writes: Side;
  /** Reads that showed less than what had been acknowledged, or shown, before they began. */
  readonly stale: number;
  /** Acknowledged writes that are not there at the end. */
  readonly lost: number;
}

interface Side {
  readonly answered: number;
  /** What clients were told after all their retries, each with how often. */
  readonly errors: ReadonlyMap<string, number>;
  /** The longest that a client waited for one answer, with its retries. */
  readonly longestMs: number;
}

/**
 * Lets the clients work while something happens, and looks at the end what became of every write.
 * @param url the load balancer of a fleet with auth on
 * @throws when a read shows what nobody wrote, and when the bucket cannot be read at the end
 */
export async function workThrough(url: string, happen: () => Promise<void>): Promise<Outcome> {
  const ledger = createLedger();
  const written = new Map<string, string | undefined>();
  // The first writes come all at once, and wait for each other.
  const [prepared, reads, writes] = [createSide(), createSide(), createSide()];
  const clients: S3Client[] = [];
  let stale = 0;
  let working = true;

  const connect = (): S3Client => {
    const credentials = { accessKeyId: ROOT_TOKEN, secretAccessKey: ROOT_TOKEN };
    const client = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials });
    clients.push(client);
    return client;
  };

  const put = async (client: S3Client, key: string, side: ReturnType<typeof createSide>): Promise<void> => {
    const version = ledger.writing(key);
    const Body = String(version).padEnd(BODY_BYTES);
    const done = await side.ask(() => client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body })));
    if (done === undefined) return;
    ledger.acknowledged(key, version);
    written.set(key, done.ETag);
  };

  const get = async (client: S3Client, key: string): Promise<void> => {
    const judge = ledger.reading(key);
    const version = await reads.ask(() => versionOf(client, key));
    if (version === undefined) return;
    const verdict = judge(version);
    if (verdict === 'unwritten') throw new Error(`${key} shows version ${version}, which nobody wrote`);
    if (verdict === 'stale') stale += 1;
  };

  const write = async (writer: number): Promise<void> => {
    const client = connect();
    for (let count = 0; working; count++) {
      await put(client, hotKey(writer, count % KEYS), writes);
      await put(client, `once/${writer}-${count}`, writes);
    }
  };

  const read = async (reader: number): Promise<void> => {
    const client = connect();
    for (let count = reader; working; count++) {
      await get(client, hotKey(count % WRITERS, Math.floor(Math.random() * KEYS)));
      await sleep(READER_PAUSE_MS);
    }
  };

  const work = (workers: number, one: (number: number) => Promise<void>) =>
    Promise.all(Array.from({ length: workers }, (_, number) => one(number)));

  try {
    const first = connect();
    await work(WRITERS * KEYS, (number) =>
      put(first, hotKey(number % WRITERS, Math.floor(number / WRITERS)), prepared),
    );
    if (prepared.errors.size > 0) throw new Error('the fleet does not serve before anything happened');
    const clientsWork = Promise.all([work(WRITERS, write), work(READERS, read)]);
    try {
      await Promise.race([happen(), clientsWork]);
    } finally {
      working = false;
    }
    await clientsWork;
    return { reads, writes, stale, lost: await lostOf(first) };
  } finally {
    for (const client of clients) client.destroy();
  }

  async function lostOf(client: S3Client): Promise<number> {
    const there = new Map<string | undefined, string | undefined>();
    for await (const page of paginateListObjectsV2({ client }, { Bucket: BUCKET })) {
      for (const { Key, ETag } of page.Contents ?? []) there.set(Key, ETag);
    }
    let lost = 0;
    for (const [key, etag] of written) {
      // A later write of a key that failed for its client may have been done all the same.
      const isThere = there.get(key) === etag || ledger.reading(key)(await versionOf(client, key)) === 'fresh';
      if (!isThere) lost += 1;
    }
    return lost;
  }
}

function hotKey(writer: number, key: number): string {
  return `hot/${writer}-${key}`;
}

/** @returns 0 where there is no such object. */
async function versionOf(client: S3Client, key: string): Promise<number> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return Number(await Body?.transformToString());
  } catch (error) {
    if (error instanceof NoSuchKey) return 0;
    throw error;
  }
}

function createSide() {
  const errors = new Map<string, number>();
  const side = {
    answered: 0,
    errors,
    longestMs: 0,
    /** undefined: the client was told of an error. */
    async ask<T>(request: () => Promise<T>): Promise<T | undefined> {
      const begunMs = performance.now();
      try {
        const answer = await request();
        side.answered += 1;
        return answer;
      } catch (error) {
        const name = nameOf(error);
        errors.set(name, (errors.get(name) ?? 0) + 1);
        return undefined;
      } finally {
        side.longestMs = Math.max(side.longestMs, performance.now() - begunMs);
      }
    },
  };
  return side;
}

function nameOf(error: unknown): string {
  if (error instanceof S3ServiceException) return `${error.$metadata.httpStatusCode} ${error.name}`;
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : String(error);
}
