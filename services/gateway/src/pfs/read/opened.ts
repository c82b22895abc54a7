import type { Pachd } from '../../pachd/client.ts';
import { isPachdError } from '../../pachd/errors.ts';
import type { Caller, CommitRef, FileSummary } from '../../pachd/model.ts';
import { Failure } from '../failure.ts';
import { pfsHash } from '../hash.ts';
import { folderOf } from './blocks.ts';
import type { Fetched } from './runs.ts';
import type { Slots } from './slots.ts';

/** How often an open commit is looked at that changes at the same moment. */
const SNAPSHOTS_MAX = 10;

/** A file of an open commit, and a file set that has just this content of it. */
export interface Pinned {
  readonly file: FileSummary;
  readonly fileSetId: string;
}

/**
 * Files of an open commit. It changes under its reader: what is said of a file and what is read of it must be one version. Each look into
 * it takes pachd some 5 ms for each set that was added to it, so there are as few as can be. Nothing of it is kept. undefined: there is no
 * such file.
 */
export interface Opened {
  /** A small file with its content, in one look. */
  fetch(caller: Caller, commit: CommitRef, path: string): Promise<Fetched | undefined>;
  /** @throws Failure busy */
  pin(caller: Caller, commit: CommitRef, path: string): Promise<Pinned | undefined>;
}

export interface OpenedParts {
  readonly pachd: Pick<Pachd, 'snapshot' | 'readRun' | 'statFile'>;
  readonly slots: Slots;
}

/** @param smallMaxBytes larger files are not read whole; at most what their hash follows from */
export function createOpened({ pachd, slots }: OpenedParts, smallMaxBytes: number): Opened {
  const readOne = async (caller: Caller, fileSetId: string, path: string): Promise<Fetched | undefined> => {
    const run = { folder: folderOf(path), first: path, last: path };
    let found: Fetched | undefined;
    try {
      for await (const { path: name, content } of pachd.readRun(caller, { fileSetId }, run, smallMaxBytes)) {
        if (name !== path) continue;
        if (content === undefined) return { kind: 'large' };
        const file: FileSummary = { path, kind: 'file', sizeBytes: content.length, hash: pfsHash(content) };
        found = { kind: 'small', file, content };
      }
    } catch (error) {
      if (!isPachdError(error, 'file-not-found')) throw error;
    }
    return found;
  };

  return {
    async fetch(caller, commit, path) {
      const fileSetId = await pachd.snapshot(caller, commit);
      return slots.with(`${commit.project}/${commit.repo}`, () => readOne(caller, fileSetId, path));
    },

    /** What was said of the file before its snapshot and after it must be equal. */
    async pin(caller, commit, path) {
      for (let attempt = 0; attempt < SNAPSHOTS_MAX; attempt++) {
        const before = await pachd.statFile(caller, commit, path);
        if (before === undefined) return undefined;
        const fileSetId = await pachd.snapshot(caller, commit);
        const file = await pachd.statFile(caller, commit, path);
        if (file !== undefined && Buffer.compare(before.hash, file.hash) === 0) return { file, fileSetId };
      }
      throw new Failure('busy', 'the open commit changes too quickly to be read');
    },
  };
}
