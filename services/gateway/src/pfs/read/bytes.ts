import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { Caller, FileSource } from '../../pachd/model.ts';
import { Failure } from '../failure.ts';
import type { Sets } from './sets.ts';
import type { Slots } from './slots.ts';

/** A file, as pachd is asked for it. A commit here is a finished one, which is read by its set. */
export interface Place {
  readonly source: FileSource;
  readonly path: string;
}

/** The bytes at a place from `first` to `last`, both inclusive, as they are taken. @throws when the file ends before */
export type ReadBytes = (caller: Caller, place: Place, first: number, last: number) => AsyncGenerator<Uint8Array>;

export function createReadBytes(pachd: Pick<Pachd, 'readFile'>, sets: Sets, slots: Slots): ReadBytes {
  /** Reads from a set, or an open commit's snapshot, on. The slot is for the work until content comes: who reads slowly holds up nobody. */
  const begin = (caller: Caller, source: FileSource, path: string, at: number) => {
    const bytes = pachd.readFile(caller, source, path, at);
    return slots.with(slotOf(source), async () => ({ bytes, first: await bytes.next() }));
  };

  return async function* readBytes(caller, { source, path }, first, last) {
    let at = first;
    while (at <= last) {
      const { bytes, first: begun } =
        'fileSetId' in source
          ? await begin(caller, source, path, at)
          : await sets.content(caller, source, (set) => begin(caller, set, path, at));
      try {
        for (let next = begun; !next.done; next = await bytes.next()) {
          const left = last - at + 1;
          const part = next.value.length > left ? next.value.subarray(0, left) : next.value;
          at += part.length;
          yield part;
          // A part that ends with the file is read to the end of pachd's stream, one that does not leaves it.
          if (part.length < next.value.length) return;
        }
      } catch (error) {
        // A slow reader may outlive the set: the same bytes are in the commit's next one.
        if ('fileSetId' in source || !isPachdError(error, 'file-set-gone')) throw error;
        continue;
      } finally {
        await bytes.return();
      }
      if (at <= last) throw new Failure('unexpected', `${path} ended ${last - at + 1} bytes early`);
    }
  };
}

function slotOf(source: FileSource): string {
  return 'fileSetId' in source ? '' : `${source.project}/${source.repo}`;
}
