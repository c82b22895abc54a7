// A multipart upload beside the bare CreateFileSet calls of the same bytes.
import { credentials } from '@grpc/grpc-js';
import { ModifyFileRequest, APIClient as PfsClient } from '../../proto/gen/pfs/pfs.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import type { Gateway } from './writes-gateways.ts';

const PART_BYTES = 8 << 20;
const PARTS_AT_ONCE = 10;
const PIECE_BYTES = 1 << 20;

/** @returns the milliseconds from the first part's first byte to the answer of the completion */
export async function uploadInParts({ tusk, bucket }: Gateway, bytes: number): Promise<number> {
  const path = `/${await bucket()}/large.bin`;
  const created = await send(tusk.url, 'POST', path, { query: [['uploads', '']] });
  const uploadId = /<UploadId>([^<]+)</.exec(created.text)?.[1] ?? '';
  const content = sampleBytes(PART_BYTES);
  const etags: string[] = [];
  const begunMs = performance.now();
  await eachPart(bytes, async (number, sizeBytes) => {
    const query = [
      ['partNumber', String(number)],
      ['uploadId', uploadId],
    ] as const;
    const answer = await send(tusk.url, 'PUT', path, { query, body: content.subarray(0, sizeBytes) });
    if (answer.status !== 200) throw new Error(`part ${number}: ${answer.status} ${answer.text}`);
    etags[number] = answer.headers['etag'] ?? '';
  });
  const list = etags.map((etag, number) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
  const done = await send(tusk.url, 'POST', path, { query: [['uploadId', uploadId]], body });
  if (done.status !== 200) throw new Error(`the completion: ${done.status} ${done.text}`);
  return performance.now() - begunMs;
}

/** @returns the milliseconds of the same bytes, straight to pachd */
export async function createFileSets({ tusk }: Gateway, bytes: number): Promise<number> {
  const pfs = new PfsClient(tusk.pachdAddress, credentials.createInsecure());
  const content = sampleBytes(PART_BYTES);
  const begunMs = performance.now();
  await eachPart(bytes, (_, sizeBytes) => createFileSet(pfs, content.subarray(0, sizeBytes)));
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

async function eachPart(bytes: number, work: (number: number, sizeBytes: number) => Promise<void>): Promise<void> {
  const parts = Math.ceil(bytes / PART_BYTES);
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next <= parts) {
      const number = next++;
      await work(number, Math.min(PART_BYTES, bytes - (number - 1) * PART_BYTES));
    }
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker));
}
