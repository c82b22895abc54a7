import { join } from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ComposeFileSetRequest, APIClient as PfsClient } from '../../../../../proto/gen/pfs/pfs.ts';
import { openUploads } from '../../../src/cache/uploads-lmdb.ts';
import type { Tusk } from '../../support/tusk.ts';

/** The file sets of an upload's parts, in order, as they are kept in the gateway's data folder. */
export async function fileSetsOf(tusk: Tusk, bucket: string, uploadId: string): Promise<readonly string[]> {
  const registry = openUploads(join(tusk.dataDir, 'uploads'), false);
  const parts = await registry.parts(bucket, uploadId, 0, 10_000);
  await registry.close();
  return (parts ?? []).map(({ fileSetId }) => fileSetId);
}

/** Whether pachd still has a file set: only of those that it has can others be composed. */
export function hasFileSet(tusk: Tusk, fileSetId: string): Promise<boolean> {
  const pfs = new PfsClient(tusk.pachdAddress, credentials.createInsecure());
  const request = ComposeFileSetRequest.create({ fileSetIds: [fileSetId], ttlSeconds: 1 });
  return new Promise((resolve, reject) => {
    pfs.composeFileSet(request, new Metadata(), { deadline: Date.now() + 30_000 }, (error: ServiceError | null) => {
      pfs.close();
      if (error === null) resolve(true);
      else if (/dangling reference/.test(error.details)) resolve(false);
      else reject(error);
    });
  });
}
