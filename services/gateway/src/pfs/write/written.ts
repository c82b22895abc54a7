import { createHash } from 'node:crypto';
import type { Pachd } from '../../pachd/client.ts';
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
      const [ours, theirs] = await Promise.all([
        digest(caller, { fileSetId }, path),
        digest(caller, commit, change.path),
      ]);
      return ours.equals(theirs);
    },
  };

  async function digest(caller: Caller, source: FileSource, path: string): Promise<Buffer> {
    const hash = createHash('sha256');
    for await (const bytes of pachd.readFile(caller, source, path, 0)) hash.update(bytes);
    return hash.digest();
  }
}
