import { constants } from 'node:os';
import { join } from 'node:path';
import { refused } from './errors.ts';

const MAP_FULL = -30792;
const { ENOSPC, EFBIG, EIO, EDQUOT } = constants.errno;
/** How long LMDB may take to tell why a commit failed; now and then it never does. */
const REASON_MAX_MS = 100;

/**
 * What `work`, a write of LMDB, gives. Where the disk did not take it, none of it was done, and that is told as pachd tells of its database's:
 * UNKNOWN with Postgres's text. Of a write that the disk took only a part of LMDB says EIO. What was refused on the way is thrown as it is.
 */
export async function keeping<T>(folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = await codeOf(error);
    if (code === undefined) throw error;
    const isShort = code === EIO;
    if (!isShort && ![MAP_FULL, ENOSPC, EFBIG, EDQUOT].includes(code)) throw error;
    const what = isShort ? 'it could not be written whole' : 'No space left on device';
    throw refused(
      `ERROR: could not extend file "${join(folder, 'lmdb')}": ${what} (SQLSTATE 53100): check free disk space, and try again`,
    );
  }
}

/** Whether it is LMDB's for a commit that failed. */
export function isCommitError(error: unknown): error is Error & { readonly commitError: Promise<unknown> } {
  return error instanceof Error && 'commitError' in error && error.commitError instanceof Promise;
}

/** The number of what went wrong. A failed commit only promises it; without one the disk is to blame, as far as is known. */
async function codeOf(error: unknown): Promise<number | undefined> {
  if (!isCommitError(error)) return numberOf(error);
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<number>((resolve) => {
    timer = setTimeout(resolve, REASON_MAX_MS, EIO);
  });
  const reason = error.commitError.then(() => EIO, numberOf);
  return Promise.race([reason, silence]).finally(() => clearTimeout(timer));
}

function numberOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
