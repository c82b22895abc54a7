import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import pLimit from 'p-limit';
import { expect } from 'vitest';
import {
  ComposeFileSetRequest,
  type CreateFileSetResponse,
  APIClient as PfsClient,
} from '../../../../../proto/gen/pfs/pfs.ts';
import { openUploads } from '../../../src/cache/uploads-lmdb.ts';
import { freshBucket, repoOf } from '../../support/buckets.ts';
import { sampleBytes } from '../../support/clients.ts';
import type { Answer } from '../../support/http.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { element, elements, PART_BYTES, uploadsOf } from '../../support/uploads.ts';

const CALLS_AT_ONCE = 16;
const TTL_SECONDS = 3_600;

/** How often a completion is asked for: a client that gets no answer in time asks again. */
const ASKED_MAX = 20;
const RANGES = 50;
const RANGE_BYTES = 1_000;

/** An upload of so many parts of the least size is listed, completed once, and read at random places. */
export async function expectManyParts(count: number): Promise<void> {
  const tusk = await startTusk();
  try {
    const bucket = await freshBucket(tusk);
    const uploads = uploadsOf(tusk.url, bucket);
    const content = sampleBytes(PART_BYTES);
    const id = await uploads.create('many');
    const { etag } = await uploads.part('many', id, 1, content);
    await repeatPart(tusk, bucket, id, count);
    const numbers = Array.from({ length: count }, (_, at) => at + 1);

    const listed: number[] = [];
    for (let marker = '0'; listed.length < count; ) {
      const { text } = await uploads.listParts('many', id, ['part-number-marker', marker]);
      const page = elements(text, 'PartNumber').map(Number);
      expect(page).toHaveLength(Math.min(1_000, count - listed.length));
      listed.push(...page);
      marker = element(text, 'NextPartNumberMarker');
    }
    expect(listed).toEqual(numbers);

    const [commits, storedBytes] = [await tusk.pachd.commitCount(repoOf(bucket)), await contentBytes(tusk)];
    const parts = numbers.map((number) => ({ number, etag }));
    const done = await insist(() => uploads.complete('many', id, parts));
    expect(await tusk.pachd.commitCount(repoOf(bucket))).toBe(commits + 1);
    // Had bytes moved, they would have been cut at other places, and stored anew.
    expect(await contentBytes(tusk)).toBe(storedBytes);
    const again = await uploads.complete('many', id, parts);
    // Where it took long there are blanks in front.
    expect(again.status).toBe(200);
    expect(again.text.replace(/\s+</g, '<')).toBe(done.text.replace(/\s+</g, '<'));

    const sizeBytes = count * PART_BYTES;
    const head = await uploads.ask('HEAD', 'many');
    expect(head.headers).toMatchObject({ 'content-length': String(sizeBytes), etag: element(done.text, 'ETag') });
    for (let range = 0; range < RANGES; range++) {
      const first = Math.floor(Math.random() * (sizeBytes - RANGE_BYTES));
      const headers = { range: `bytes=${first}-${first + RANGE_BYTES - 1}` };
      const { status, body } = await uploads.ask('GET', 'many', { headers });
      const at = first % PART_BYTES;
      const expected = Buffer.concat([content, content]).subarray(at, at + RANGE_BYTES);
      expect({ first, status, right: body.equals(expected) }).toEqual({ first, status: 206, right: true });
    }
  } finally {
    await tusk.stop();
  }
}

async function insist(ask: () => Promise<Answer>): Promise<Answer> {
  const refused: unknown[] = [];
  while (refused.length < ASKED_MAX) {
    const answer = await ask().catch((error: unknown) => {
      refused.push(error);
    });
    if (answer?.status === 200) return answer;
    if (answer !== undefined) refused.push(answer.text);
  }
  throw new Error(`not completed: ${refused.join('; ')}`);
}

/** What devpachd's files of content have, however much of it is in use. */
async function contentBytes(tusk: Tusk): Promise<number> {
  const folder = join(tusk.dataDir, 'packs');
  const sizes = (await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/**
 * Fills an upload with copies of its part 1, up to `count` parts: each has a file set of its own, as if it had been sent, but no
 * bytes go anywhere. The gateway finds them in its data folder.
 */
async function repeatPart(tusk: Tusk, bucket: string, uploadId: string, count: number): Promise<void> {
  const registry = openUploads(join(tusk.dataDir, 'uploads'), false);
  const pfs = new PfsClient(tusk.pachdAddress, credentials.createInsecure());
  const inTurn = pLimit(CALLS_AT_ONCE);
  const compose = (fileSetId: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = ComposeFileSetRequest.create({ fileSetIds: [fileSetId], ttlSeconds: TTL_SECONDS });
      pfs.composeFileSet(request, new Metadata(), (error: ServiceError | null, answer: CreateFileSetResponse) =>
        error === null ? resolve(answer.fileSetId) : reject(error),
      );
    });
  try {
    const [part] = (await registry.parts(bucket, uploadId, 0, 1)) ?? [];
    if (part === undefined) throw new Error('there is no part to repeat');
    const numbers = Array.from({ length: count - 1 }, (_, at) => at + 2);
    await Promise.all(
      numbers.map((number) =>
        inTurn(async () => {
          const fileSetId = await compose(part.fileSetId);
          await registry.putPart(bucket, uploadId, { ...part, number, fileSetId });
        }),
      ),
    );
  } finally {
    pfs.close();
    await registry.close();
  }
}
