// A multipart upload beside the bare CreateFileSet calls of the same bytes.
import { credentials } from '@grpc/grpc-js';
import { ModifyFileRequest, APIClient as PfsClient } from '../../proto/gen/pfs/pfs.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { eachOf, uploadParts } from './multipart.ts';
import type { Gateway } from './writes-gateways.ts';

const PART_BYTES = 8 << 20;
const PARTS_AT_ONCE = 10;
const PIECE_BYTES = 1 << 20;

/** @returns the milliseconds of an upload, from its creation to the answer of its completion */
export async function uploadInParts({ tusk, bucket }: Gateway, bytes: number): Promise<number> {
  const name = await bucket();
  const content = sampleBytes(PART_BYTES);
  const begunMs = performance.now();
  await uploadParts(tusk.url, name, 'large.bin', partsOf(bytes), PARTS_AT_ONCE, (number) =>
    content.subarray(0, sizeOf(number, bytes)),
  );
  return performance.now() - begunMs;
}

/** @returns the milliseconds of the same bytes, straight to pachd */
export async function createFileSets({ tusk }: Gateway, bytes: number): Promise<number> {
  const pfs = new PfsClient(tusk.pachdAddress, credentials.createInsecure());
  const content = sampleBytes(PART_BYTES);
  const begunMs = performance.now();
  await eachOf(partsOf(bytes), PARTS_AT_ONCE, (number) =>
    createFileSet(pfs, content.subarray(0, sizeOf(number, bytes))),
  );
  const tookMs = performance.now() - begunMs;
  pfs.close();
  return tookMs;
}

function createFileSet(pfs: PfsClient, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = pfs.createFileSet((error) => (error ? reject(error) : resolve()));
    for (let at = 0; at < content.length; at += PIECE_BYTES) {
      const source = { $case: 'raw', value: content.subarray(at, at + PIECE_BYTES) } as const;
      call.write(ModifyFileRequest.create({ body: { $case: 'addFile', value: { path: '/part', datum: '', source } } }));
    }
    call.end();
  });
}

function partsOf(bytes: number): number {
  return Math.ceil(bytes / PART_BYTES);
}

function sizeOf(number: number, bytes: number): number {
  return Math.min(PART_BYTES, bytes - (number - 1) * PART_BYTES);
}
