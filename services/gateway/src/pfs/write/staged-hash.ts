import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { Caller } from '../../pachd/model.ts';

/** Whether pachd says more of a file set than its content is found out again after so long: auth may have been switched. */
const REFUSED_MS = 60_000;

/** The hash of a staged file; undefined: it will be known when the file is in a finished commit. */
export type StagedHash = (caller: Caller, fileSetId: string, path: string) => Promise<Uint8Array | undefined>;

/**
 * Only pachd knows the hash of a large file, and with it the ETag. Asked of the file set, a write is answered without a wait for its
 * commit's finish, and can be read before. With auth on pachd tells it to nobody.
 */
export function createStagedHash(pachd: Pick<Pachd, 'statFile'>): StagedHash {
  let refusedUntilMs = Number.NEGATIVE_INFINITY;
  return async (caller, fileSetId, path) => {
    if (performance.now() < refusedUntilMs) return undefined;
    try {
      return (await pachd.statFile(caller, { fileSetId }, path))?.hash;
    } catch (error) {
      if (!isPachdError(error)) throw error;
      // The repo of the sets is one that nobody has a role in. Whatever else is wrong shows when the file is committed.
      if (isPachdError(error, 'denied', 'repo-not-found')) refusedUntilMs = performance.now() + REFUSED_MS;
      return undefined;
    }
  };
}
