import type { Pachd } from '../../pachd/client.ts';
import type { Run } from '../../pachd/files.ts';
import { type Caller, type CommitRef, detached, type FileSummary } from '../../pachd/model.ts';
import { pfsHash } from '../hash.ts';
import type { Names } from '../names.ts';
import { folderOf } from './blocks.ts';
import type { Contents } from './contents.ts';
import type { Sets } from './sets.ts';
import type { Slots } from './slots.ts';

/** What pachd has at a path. A small file comes whole; of a larger one only this is known. */
export type Fetched =
  | { readonly kind: 'small'; readonly file: FileSummary; readonly content: Uint8Array }
  | { readonly kind: 'large' };

/** Reads the small files of a run by one call, and keeps them. Several callers may wait for it: it goes on when one is gone. @throws PachdError */
export type ReadRun = (caller: Caller, commit: CommitRef, run: Run) => Promise<ReadonlyMap<string, Fetched>>;

export interface RunsParts {
  readonly pachd: Pick<Pachd, 'readRun'>;
  readonly sets: Sets;
  readonly slots: Slots;
  readonly names: Names;
  readonly contents: Contents;
}

/** @param smallMaxBytes larger files are not read whole; at most what their hash follows from */
export function createReadRun({ pachd, sets, slots, names, contents }: RunsParts, smallMaxBytes: number): ReadRun {
  const taken = (commit: CommitRef, path: string, content: Uint8Array): Fetched => {
    const named = names.known(commit, path);
    const hash = typeof named === 'object' ? named.hash : pfsHash(content);
    const file: FileSummary = { path, kind: 'file', sizeBytes: content.length, hash };
    names.note(commit, path, file);
    if (content.length > 0) contents.keep(commit, hash, content);
    return { kind: 'small', file, content };
  };

  return (caller, commit, run) =>
    slots.with(`${commit.project}/${commit.repo}`, () =>
      sets.content(caller, commit, async (source) => {
        const found = new Map<string, Fetched>();
        for await (const { path, kind, content } of pachd.readRun(detached(caller), source, run, smallMaxBytes)) {
          if (kind === 'directory' || folderOf(path) !== run.folder) continue;
          found.set(path, content === undefined ? { kind: 'large' } : taken(commit, path, content));
        }
        return found;
      }),
    );
}
