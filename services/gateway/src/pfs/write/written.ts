import { createHash } from 'node:crypto';
import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { Caller, CommitRef, FileSource } from '../../pachd/model.ts';
import type { Change } from './change.ts';
import { knownHash, mayBeWritten } from './edits.ts';

/** Tells whether what is in a commit is what a change would leave there. */
export function createWritten(pachd: Pachd) {
  return {
    /** Whether a path of a commit is as a change would leave it. @throws PachdError */
    async isIn(caller: Caller, commit: CommitRef, change: Change): Promise<boolean> {
      const found = await pachd.statFile(caller, commit, change.path);
      if (!mayBeWritten(change, found)) return false;
      if (change.kind !== 'put' || change.content.kind !== 'file-set' || found === undefined) return true;
      if (knownHash(change) !== undefined) return true;
      // Its size alone says little: many objects have the size of the one before.
      const { fileSetId, path } = change.content;
      const staged = await hashIn(caller, { fileSetId }, path);
      if (staged !== undefined) return Buffer.compare(staged, found.hash) === 0;
      const [ours, theirs] = await Promise.all([
        digest(caller, { fileSetId }, path),
        digest(caller, commit, change.path),
      ]);
      return ours.equals(theirs);
    },
  };

  /** undefined: with auth on, pachd gives nobody more of a file set than the content. */
  async function hashIn(caller: Caller, source: FileSource, path: string): Promise<Uint8Array | undefined> {
    try {
      return (await pachd.statFile(caller, source, path))?.hash;
    } catch (error) {
      if (isPachdError(error, 'repo-not-found', 'denied')) return undefined;
      throw error;
    }
  }

  async function digest(caller: Caller, source: FileSource, path: string): Promise<Buffer> {
    const hash = createHash('sha256');
    for await (const bytes of pachd.readFile(caller, source, path, 0)) hash.update(bytes);
    return hash.digest();
  }
}
