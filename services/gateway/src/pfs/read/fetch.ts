import { createFlights } from '../../cache/flight.ts';
import { isOfCaller, isPachdError } from '../../pachd/errors.ts';
import { type Caller, type CommitRef, commitKey } from '../../pachd/model.ts';
import type { Names } from '../names.ts';
import type { Ahead } from './ahead.ts';
import { folderOf } from './blocks.ts';
import type { Fetched, ReadRun } from './runs.ts';

/**
 * Reads an object of a finished commit that is not at hand, in one call to pachd; several who ask at once share it. undefined: there is
 * none, which is remembered.
 */
export type Fetch = (caller: Caller, commit: CommitRef, path: string) => Promise<Fetched | undefined>;

/** @param ahead undefined: every object is read by itself */
export function createFetch(readRun: ReadRun, names: Names, ahead: Ahead | undefined): Fetch {
  const fetching = createFlights<Fetched | undefined>(isOfCaller);

  const alone = async (caller: Caller, commit: CommitRef, path: string): Promise<Fetched | undefined> => {
    try {
      const found = await readRun(caller, commit, { folder: folderOf(path), first: path, last: path });
      const fetched = found.get(path);
      if (fetched !== undefined) return fetched;
    } catch (error) {
      if (!isPachdError(error, 'file-not-found')) throw error;
    }
    names.note(commit, path, 'no file');
    return undefined;
  };

  return (caller, commit, path) =>
    fetching(
      commitKey(commit) + path,
      async () => (await ahead?.missed(caller, commit, path)) ?? alone(caller, commit, path),
    );
}
