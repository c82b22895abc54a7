import type { Attempt } from './attempt.ts';
import { serverStream, unary } from './calls.ts';
import { isPachdError, PachdError } from './errors.ts';
import {
  type BranchRef,
  type Caller,
  type CommitRef,
  type CommitSummary,
  commitKey,
  type FileSource,
  type FileSummary,
} from './model.ts';
import type { Pool } from './pool.ts';
import {
  type Commit,
  type CommitInfo,
  CommitState,
  type DiffFileResponse,
  type FileInfo,
  FileSetType,
  GetFileRequest,
  PfsService,
  type Timestamp,
} from './proto.ts';
import { MalformedTar, readTar, type TarEntry } from './tar.ts';
import {
  branchMessage,
  branchName,
  commitMessage,
  fileMessage,
  fileSummary,
  repoMessage,
  sourceMessage,
  sourceName,
  timeMs,
} from './wire.ts';

const DEADLINE_MS = 30_000;
/** Finishing grows with the files of the repo: about 50 s for 100,000 new ones. */
const FINISH_DEADLINE_MS = 120_000;

/** The least character after the end of a path: an upper bound that takes in the path, and nothing that begins with it. */
const JUST_AFTER = '\u0001';
/** The character after the slash: an upper bound that takes in a path and all that is below it. */
const AFTER_SLASH = '0';

export interface Page {
  /** Full path after which to begin; it need not exist. */
  readonly after: string;
  /** How many entries at the most; 1 to 100,000. */
  readonly number: number;
}

/** Files directly in a folder ("/d", or "/" for the root), by full paths in byte order, both ends included. */
export interface Run {
  readonly folder: string;
  readonly first: string;
  readonly last: string;
}

/** Calls that read commits and files. Each throws PachdError. */
export function readCalls(pool: Pool) {
  const read = (name: string, about: string) => ({ name, repeat: 'safe', deadlineMs: DEADLINE_MS, about }) as const;

  const inspect = async (caller: Caller, commit: Commit, about: string, wait: 'no' | 'finished') => {
    const call =
      wait === 'finished'
        ? { ...read('InspectCommit', `${about} finished`), deadlineMs: FINISH_DEADLINE_MS, waits: true }
        : { ...read('InspectCommit', about), hedge: true };
    const request = { commit, wait: wait === 'finished' ? CommitState.FINISHED : CommitState.COMMIT_STATE_UNKNOWN };
    const info = await pool.run(call, caller, (attempt) =>
      unary<CommitInfo>(attempt, (...rest) => attempt.channel.pfs.inspectCommit(request, ...rest)),
    );
    return commitSummary(info);
  };

  const globMessage = (source: FileSource, pattern: string, lower: string, upper: string) => ({
    commit: sourceMessage(source),
    pattern,
    pathRange: { lower, upper },
  });

  /**
   * A page of what matches a glob in a directory. In a range, since a page of ListFile or WalkFile that is not filled goes on to the end
   * of the commit, whatever directory was asked for: seen to take 0.5 s where 100,000 files came after it.
   */
  async function* within(
    caller: Caller,
    source: FileSource,
    directory: string,
    glob: '*' | '**',
    { after, number }: Page,
  ): AsyncGenerator<FileSummary> {
    const [lower, upper] = [after === '' ? `${directory}/${JUST_AFTER}` : after, directory + AFTER_SLASH];
    if (lower >= upper) return;
    const pattern = `${directory}/${glob}`;
    const request = globMessage(source, pattern, lower, upper);
    const about = `${sourceName(source)} ${pattern} ${lower} ${number}`;
    const found = pool.stream(read('GlobFile', about), caller, (attempt) =>
      serverStream<FileInfo>(attempt, (...rest) => attempt.channel.pfs.globFile(request, ...rest)),
    );
    let left = number;
    for await (const info of found) {
      yield fileSummary(info);
      left -= 1;
      if (left === 0) return;
    }
  }

  return {
    inspectCommit: (caller: Caller, commit: CommitRef, wait: 'no' | 'finished'): Promise<CommitSummary> =>
      inspect(caller, commitMessage(commit), commitKey(commit), wait),

    /** The newest commit of a branch, whatever its state. */
    inspectHead: (caller: Caller, branch: BranchRef): Promise<CommitSummary> =>
      inspect(caller, { repo: repoMessage(branch), id: '', branch: branchMessage(branch) }, branchName(branch), 'no'),

    /**
     * A file set of all that a commit shows now; it does not change with an open commit, and lives ten minutes. pachd gives it to
     * anybody who asks: the caller's permission is for tusk to check.
     */
    async snapshot(caller: Caller, commit: CommitRef): Promise<string> {
      const request = { commit: commitMessage(commit), type: FileSetType.TOTAL };
      const { fileSetId } = await pool.run(read('GetFileSet', commitKey(commit)), caller, (attempt) =>
        unary<{ fileSetId: string }>(attempt, (...rest) => attempt.channel.pfs.getFileSet(request, ...rest)),
      );
      return fileSetId;
    },

    /**
     * Finds a file by its exact path; undefined if there is none, or a directory of that name. It asks for a range that holds
     * the file and not the directory: to look a directory up, pachd would hash all that is below it.
     */
    async statFile(caller: Caller, source: FileSource, path: string): Promise<FileSummary | undefined> {
      const request = globMessage(source, path, path, path + JUST_AFTER);
      const call = { ...read('GlobFile', `${sourceName(source)} ${path}`), hedge: true };
      return pool.run(call, caller, async (attempt) => {
        let found: FileSummary | undefined;
        // Read to its end, which comes with the one file.
        for await (const info of serverStream<FileInfo>(attempt, (...rest) =>
          attempt.channel.pfs.globFile(request, ...rest),
        )) {
          const file = fileSummary(info);
          if (file.kind === 'file' && file.path === path) found = file;
        }
        return found;
      });
    },

    /**
     * Those of some paths that are there, files and directories (with their slash), in any order. pachd scans all that is between
     * the first and the last of them. @param paths in byte order, without characters that pachd globs with, and without commas
     */
    async *findFiles(caller: Caller, source: FileSource, paths: readonly string[]): AsyncGenerator<FileSummary> {
      const [first = ''] = paths;
      // Not that of the last one: "/a-b" comes before what is below "/a".
      const ends = paths.map((path) => path + AFTER_SLASH);
      const end = ends.reduce((greatest, one) => (one > greatest ? one : greatest), '');
      const pattern = `/{${paths.map((path) => path.slice(1)).join(',')}}`;
      const request = globMessage(source, pattern, first, end);
      const found = pool.stream(read('GlobFile', `${sourceName(source)} ${pattern}`), caller, (attempt) =>
        serverStream<FileInfo>(attempt, (...rest) => attempt.channel.pfs.globFile(request, ...rest)),
      );
      for await (const info of found) yield fileSummary(info);
    },

    /** Whether anything is below a directory. */
    async hasBelow(caller: Caller, source: FileSource, directory: string): Promise<boolean> {
      for await (const _ of within(caller, source, directory, '**', { after: '', number: 1 })) return true;
      return false;
    },

    /** The files that one commit has and another has not, or has otherwise; `deleted` tells that it is gone in the first. */
    async *diffFiles(
      caller: Caller,
      commit: CommitRef,
      before: CommitRef | undefined,
    ): AsyncGenerator<{ readonly file: FileSummary; readonly deleted: boolean }> {
      const oldFile = before && fileMessage(before, '/');
      const request = { newFile: fileMessage(commit, '/'), oldFile, shallow: false };
      const about = `${commitKey(commit)} ${before === undefined ? '' : commitKey(before)}`;
      const differences = pool.stream(read('DiffFile', about), caller, (attempt) =>
        serverStream<DiffFileResponse>(attempt, (...rest) => attempt.channel.pfs.diffFile(request, ...rest)),
      );
      for await (const { newFile, oldFile } of differences) {
        const info = newFile ?? oldFile;
        if (info === undefined) continue;
        const file = fileSummary(info);
        if (file.kind === 'file') yield { file, deleted: newFile === undefined };
      }
    },

    /** The entries directly in a directory ("/d" or "/"), in byte order, directories with their slash. */
    async *listFiles(caller: Caller, source: FileSource, directory: string, page: Page): AsyncGenerator<FileSummary> {
      if (isBoundable(directory)) return yield* within(caller, source, directory, '*', page);
      const request = pageMessage(source, directory, page);
      const entries = pool.stream(read('ListFile', pageName(source, directory, page)), caller, (attempt) =>
        serverStream<FileInfo>(attempt, (...rest) => attempt.channel.pfs.listFile(request, ...rest)),
      );
      for await (const info of entries) yield fileSummary(info);
    },

    /** All that is below a directory, in byte order of the full path; directories come too. Nothing, if it is not there. */
    async *walkFiles(caller: Caller, source: FileSource, directory: string, page: Page): AsyncGenerator<FileSummary> {
      if (isBoundable(directory)) return yield* within(caller, source, directory, '**', page);
      const request = pageMessage(source, directory, page);
      const entries = pool.stream(read('WalkFile', pageName(source, directory, page)), caller, (attempt) =>
        serverStream<FileInfo>(attempt, (...rest) => attempt.channel.pfs.walkFile(request, ...rest)),
      );
      try {
        for await (const info of entries) yield fileSummary(info);
      } catch (error) {
        if (!isPachdError(error, 'file-not-found')) throw error;
      }
    },

    /**
     * The files of a run with their contents, in one call, as far as they are small: a larger one comes without its content, and ends it.
     * None: file-not-found. A run of one file is what costs least to read it whole: its size comes with it. It is asked for as all of the
     * folder in a range, since that scans the range alone; a path or a pattern of names in a range scans all that begins as they do.
     */
    async *readRun(caller: Caller, source: FileSource, run: Run, maxBytes: number): AsyncGenerator<TarEntry> {
      const { folder, first, last } = run;
      const glob = folder === '/' ? '/*' : `${folder}/*`;
      const file = fileMessage(source, glob);
      const pathRange = { lower: first, upper: last + JUST_AFTER };
      const request = GetFileRequest.encode({ file, URL: '', offset: 0, pathRange }).finish();
      const about = `${sourceName(source)} ${glob} ${first} ${last}`;
      const call = read('GetFileTAR', about);
      const { path } = PfsService.getFileTar;
      const bytes = pool.stream(call, caller, (attempt) => attempt.channel.content.read({ path, request }, attempt));
      try {
        yield* readTar(bytes, maxBytes);
      } catch (error) {
        throw error instanceof MalformedTar ? new PachdError('unexpected', call.name, error.message, error) : error;
      } finally {
        // Who leaves before the end does not wait for it.
        await bytes.return();
      }
    },

    /**
     * The bytes of a file from an offset to its end, as fast as they are taken. What is read must not change: where a pachd is lost in
     * the middle, another goes on, once. The offset must not be negative: that would end the pachd.
     */
    async *readFile(
      caller: Caller,
      source: FileSource,
      path: string,
      offset: number,
    ): AsyncGenerator<Uint8Array, void, undefined> {
      if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset}`);
      let at = offset;
      const bytesFromHere = () => pool.stream(contentCall(source, path, offset), caller, contentFrom(source, path, at));
      for (let resumed = false; ; resumed = true) {
        try {
          for await (const bytes of bytesFromHere()) {
            at += bytes.length;
            yield bytes;
          }
          return;
        } catch (error) {
          if (!isPachdError(error, 'unavailable') || resumed || at === offset) throw error;
        }
      }
    },
  };
}

/** Reading on is the same call as before: if pachds die of it, they die of the range that was asked for. */
function contentCall(source: FileSource, path: string, offset: number) {
  const about = `${sourceName(source)} ${path} ${offset}`;
  // A large object takes as long as its reader does; a pachd that sends nothing is given up by the channel.
  return { name: 'GetFile', repeat: 'safe', deadlineMs: Number.POSITIVE_INFINITY, about } as const;
}

/** @param at where to begin */
function contentFrom(source: FileSource, path: string, at: number) {
  const file = fileMessage(source, path);
  const request = GetFileRequest.encode({ file, URL: '', offset: at, pathRange: undefined }).finish();
  return (attempt: Attempt) => attempt.channel.content.read({ path: PfsService.getFile.path, request }, attempt);
}

/** The root is all there is, and a backslash would escape what follows it. */
function isBoundable(directory: string): boolean {
  return directory !== '/' && !directory.includes('\\');
}

function pageMessage(source: FileSource, directory: string, { after, number }: Page) {
  return {
    file: fileMessage(source, directory),
    paginationMarker: fileMessage(source, after),
    number,
    reverse: false,
  };
}

function pageName(source: FileSource, directory: string, { after, number }: Page): string {
  return `${sourceName(source)} ${directory} ${after} ${number}`;
}

function commitSummary(info: CommitInfo): CommitSummary {
  return {
    id: info.commit?.id ?? '',
    parentId: info.parentCommit?.id,
    state: info.finished !== undefined ? 'finished' : info.finishing !== undefined ? 'finishing' : 'open',
    error: info.error,
    startedMs: timeMs(info.started) ?? 0,
    finishedMs: timeMs(info.finished),
    oneOff: sameTime(info.started, info.finishing),
  };
}

function sameTime(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  return a !== undefined && b !== undefined && a.seconds === b.seconds && a.nanos === b.nanos;
}
