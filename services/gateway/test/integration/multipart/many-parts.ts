import { join } from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import pLimit from 'p-limit';
import {
  ComposeFileSetRequest,
  type CreateFileSetResponse,
  APIClient as PfsClient,
} from '../../../../../proto/gen/pfs/pfs.ts';
import { openUploads } from '../../../src/cache/uploads-lmdb.ts';
import type { Tusk } from '../../support/tusk.ts';

const CALLS_AT_ONCE = 16;
const TTL_SECONDS = 3_600;

/**
 * Fills an upload with copies of its part 1, up to `count` parts: each has a file set of its own, as if it had been sent, but no
 * bytes go anywhere. The gateway finds them in its data folder.
 */
export async function repeatPart(tusk: Tusk, bucket: string, uploadId: string, count: number): Promise<void> {
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
