import { type Channel, serverStream, unary } from './channel.ts';
import { isPachdError } from './errors.ts';
import type { BranchRef, Caller, CommitRef, CommitSummary, FileSource, FileSummary } from './model.ts';
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
import { branchMessage, commitMessage, fileMessage, fileSummary, repoMessage, sourceMessage, timeMs } from './wire.ts';

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

/** Calls that read commits and files. Each throws PachdError. */
export function readCalls(pool: Pool) {
  const inspect = (caller: Caller, commit: Commit, wait: 'no' | 'finished'): Promise<CommitSummary> =>
    pool.run('safe', async (channel) => {
      const state = wait === 'finished' ? CommitState.FINISHED : CommitState.COMMIT_STATE_UNKNOWN;
      const deadlineMs = wait === 'finished' ? FINISH_DEADLINE_MS : DEADLINE_MS;
      const info = await unary<CommitInfo>('InspectCommit', channel, caller, deadlineMs, (metadata, options, done) =>
        channel.pfs.inspectCommit({ commit, wait: state }, metadata, options, done),
      );
      return commitSummary(info);
    });

  /** What a pattern matches in a range of paths. */
  const glob = async function* (caller: Caller, source: FileSource, pattern: string, lower: string, upper: string) {
    const request = { commit: sourceMessage(source), pattern, pathRange: { lower, upper } };
    for await (const info of pool.stream((channel) =>
      serverStream<FileInfo>('GlobFile', channel, caller, DEADLINE_MS, (metadata, options) =>
        channel.pfs.globFile(request, metadata, options),
      ),
    )) {
      yield fileSummary(info);
    }
  };

  return {
    inspectCommit: (caller: Caller, commit: CommitRef, wait: 'no' | 'finished'): Promise<CommitSummary> =>
      inspect(caller, commitMessage(commit), wait),

    /** The newest commit of a branch, whatever its state. */
    inspectHead: (caller: Caller, branch: BranchRef): Promise<CommitSummary> =>
      inspect(caller, { repo: repoMessage(branch), id: '', branch: branchMessage(branch) }, 'no'),

    /**
     * A file set of all that a commit shows now; it does not change with an open commit, and lives ten minutes. pachd gives it to
     * anybody who asks: the caller's permission is for tusk to check.
     */
    snapshot: (caller: Caller, commit: CommitRef): Promise<string> =>
      pool.run('safe', async (channel) => {
        const request = { commit: commitMessage(commit), type: FileSetType.TOTAL };
        const answer = await unary<{ fileSetId: string }>(
          'GetFileSet',
          channel,
          caller,
          DEADLINE_MS,
          (metadata, options, done) => channel.pfs.getFileSet(request, metadata, options, done),
        );
        return answer.fileSetId;
      }),

    /**
     * Finds a file by its exact path; undefined if there is none, or a directory of that name. It asks for a range that holds
     * the file and not the directory: to look a directory up, pachd would hash all that is below it.
     */
    async statFile(caller: Caller, source: FileSource, path: string): Promise<FileSummary | undefined> {
      let found: FileSummary | undefined;
      // Read to its end, which comes with the one file.
      for await (const file of glob(caller, source, path, path, path + JUST_AFTER)) {
        if (file.kind === 'file' && file.path === path) found = file;
      }
      return found;
    },

    /**
     * Those of some paths that are there, files and directories (with their slash), in any order. pachd scans all that is between
     * the first and the last of them. @param paths in byte order, without characters that pachd globs with, and without commas
     */
    findFiles(caller: Caller, source: FileSource, paths: readonly string[]): AsyncGenerator<FileSummary> {
      const [first = '', last = ''] = [paths[0], paths[paths.length - 1]];
      const pattern = `/{${paths.map((path) => path.slice(1)).join(',')}}`;
      return glob(caller, source, pattern, first, last + AFTER_SLASH);
    },

    /** The files that one commit has and another has not, or has otherwise; `deleted` tells that it is gone in the first. */
    async *diffFiles(
      caller: Caller,
      commit: CommitRef,
      before: CommitRef | undefined,
    ): AsyncGenerator<{ readonly file: FileSummary; readonly deleted: boolean }> {
      const oldFile = before && fileMessage(before, '/');
      const request = { newFile: fileMessage(commit, '/'), oldFile, shallow: false };
      for await (const { newFile, oldFile } of pool.stream((channel) =>
        serverStream<DiffFileResponse>('DiffFile', channel, caller, DEADLINE_MS, (metadata, options) =>
          channel.pfs.diffFile(request, metadata, options),
        ),
      )) {
        const info = newFile ?? oldFile;
        if (info === undefined) continue;
        const file = fileSummary(info);
        if (file.kind === 'file') yield { file, deleted: newFile === undefined };
      }
    },

    /** The entries directly in a directory ("/d" or "/"), in byte order, directories with their slash. */
    async *listFiles(caller: Caller, source: FileSource, directory: string, page: Page): AsyncGenerator<FileSummary> {
      const request = {
        file: fileMessage(source, directory),
        paginationMarker: fileMessage(source, page.after),
        number: page.number,
        reverse: false,
      };
      for await (const info of pool.stream((channel) =>
        serverStream<FileInfo>('ListFile', channel, caller, DEADLINE_MS, (metadata, options) =>
          channel.pfs.listFile(request, metadata, options),
        ),
      )) {
        yield fileSummary(info);
      }
    },

    /** All that is below a directory, in byte order of the full path; directories come too. Nothing, if it is not there. */
    async *walkFiles(caller: Caller, source: FileSource, directory: string, page: Page): AsyncGenerator<FileSummary> {
      const request = {
        file: fileMessage(source, directory),
        paginationMarker: fileMessage(source, page.after),
        number: page.number,
        reverse: false,
      };
      try {
        for await (const info of pool.stream((channel) =>
          serverStream<FileInfo>('WalkFile', channel, caller, DEADLINE_MS, (metadata, options) =>
            channel.pfs.walkFile(request, metadata, options),
          ),
        )) {
          yield fileSummary(info);
        }
      } catch (error) {
        if (!isPachdError(error, 'file-not-found')) throw error;
      }
    },

    /**
     * The bytes of a file from an offset to its end, as fast as they are taken. The offset must not be negative: that would end
     * the pachd.
     */
    readFile(caller: Caller, source: FileSource, path: string, offset: number): AsyncGenerator<Uint8Array> {
      if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset}`);
      const file = fileMessage(source, path);
      const request = GetFileRequest.encode({ file, URL: '', offset, pathRange: undefined }).finish();
      const call = { name: 'GetFile', path: PfsService.getFile.path, request };
      return pool.stream((channel) => counted(channel, channel.content.read(call, caller)));
    },
  };
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

/** Counts a call as under way as long as its answer is read. */
async function* counted<T>(channel: Channel, answer: AsyncGenerator<T>): AsyncGenerator<T> {
  channel.inFlight += 1;
  try {
    yield* answer;
  } finally {
    channel.inFlight -= 1;
  }
}
