import type { FileEdit, FileSummary } from '../../pachd/model.ts';
import type { DeltaEntry } from '../overlay.ts';
import type { Change } from './change.ts';

/** What pachd is told of a change. add_file appends, so what is there is deleted first. */
export function editsOf(change: Change): readonly FileEdit[] {
  const { path } = change;
  switch (change.kind) {
    case 'delete':
      return [{ kind: 'delete', path }];
    case 'copy':
      return [
        { kind: 'delete', path },
        { kind: 'copy', path, source: change.source, sourcePath: change.sourcePath },
      ];
    case 'put':
      return [
        { kind: 'delete', path },
        change.content.kind === 'memory'
          ? { kind: 'add', path, content: change.content.bytes }
          : { kind: 'copy', path, source: { fileSetId: change.content.fileSetId }, sourcePath: change.content.path },
      ];
  }
}

/** Whether a file may be what a change would leave. Of one whose hash is not known the size alone is compared. */
export function mayBeWritten(change: Change, found: FileSummary | undefined): boolean {
  if (change.kind === 'delete') return found === undefined;
  if (found === undefined) return false;
  const hash = knownHash(change);
  return hash === undefined ? found.sizeBytes === sizeOf(change) : Buffer.compare(found.hash, hash) === 0;
}

/** The hash of what a change writes, where it is known before its commit is finished. */
export function knownHash(change: Change): Uint8Array | undefined {
  if (change.kind === 'copy') return change.hash;
  return change.kind === 'put' ? change.content.hash : undefined;
}

function sizeOf(change: Change): number {
  switch (change.kind) {
    case 'delete':
      return 0;
    case 'copy':
      return change.sizeBytes;
    case 'put':
      return change.content.kind === 'memory' ? change.content.bytes.length : change.content.sizeBytes;
  }
}

/** What a change leaves at its path in a commit. */
export function deltaEntryOf(change: Change, commitId: string, timeMs: number): DeltaEntry {
  if (change.kind === 'delete') return { kind: 'deleted' };
  const sizeBytes = sizeOf(change);
  return { kind: 'put', commitId, sizeBytes, hash: knownHash(change), timeMs, staged: stagedOf(change) };
}

/** The file set that has the bytes of a change, also before its commit is finished. */
function stagedOf(change: Change): { readonly fileSetId: string; readonly path: string } | undefined {
  if (change.kind === 'put' && change.content.kind === 'file-set') return change.content;
  if (change.kind !== 'copy' || !('fileSetId' in change.source)) return undefined;
  return { fileSetId: change.source.fileSetId, path: change.sourcePath };
}
