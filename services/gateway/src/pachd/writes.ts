import { randomUUID } from 'node:crypto';
import { clientStream, unary } from './calls.ts';
import { addFileMessage } from './content-message.ts';
import { type BranchRef, type Caller, type CommitRef, commitKey, type FileEdit } from './model.ts';
import type { Pool } from './pool.ts';
import { type ModifyFileRequest, PfsService } from './proto.ts';
import { branchMessage, branchName, commitMessage, fileMessage, repoMessage } from './wire.ts';

const MODIFY_DEADLINE_MS = 120_000;
/** A client may send a large part slowly; the edge ends what makes no progress long before. */
const FILE_SET_DEADLINE_MS = 24 * 3_600_000;
const SHORT_DEADLINE_MS = 15_000;
const COMPOSE_DEADLINE_MS = 120_000;

/** pachd takes messages of 4 MiB; content goes in pieces of one path. Small ones: each is copied several times on its way out. */
const PIECE_BYTES = 256 << 10;

/**
 * The id of a commit that is nowhere. Told to write to the head of a branch, pachd looks once, when the stream begins, whether that is
 * open; if so, it writes into it, and whoever finishes it under the stream has his repo wrecked. Told to write to a commit that it does
 * not find, it makes one on the branch, and asks for an open head in the same transaction.
 */
const NO_COMMIT = randomUUID().replaceAll('-', '');

/** A message that says nothing: pachd refuses it, and with it the call that it came in. Encoded, it has no bytes. */
const SPOILING: ModifyFileRequest = { body: undefined };

/** Calls that write. None is sent again unless it certainly never went out. Each throws PachdError. */
export function writeCalls(pool: Pool) {
  const write = (name: string, deadlineMs: number, about: string) =>
    ({ name, repeat: 'unsent', deadlineMs, about }) as const;

  const editSet = async (caller: Caller, edits: readonly FileEdit[], deadlineMs: number): Promise<string> => {
    const call = write('CreateFileSet', deadlineMs, editNames(edits));
    const { fileSetId } = await pool.run(call, caller, (attempt) =>
      clientStream<ModifyFileRequest, { fileSetId: string }>(attempt, editMessages(edits), SPOILING, (...rest) =>
        attempt.channel.pfs.createFileSet(...rest),
      ),
    );
    return fileSetId;
  };

  return {
    /**
     * Makes one commit on a branch out of all edits, in their order, in one transaction: all of it or nothing. While somebody has a
     * commit open on the branch it is refused as commit-unfinished.
     */
    async modifyFile(caller: Caller, branch: BranchRef, edits: readonly FileEdit[]): Promise<void> {
      const head = { repo: repoMessage(branch), id: NO_COMMIT, branch: branchMessage(branch) };
      const call = write('ModifyFile', MODIFY_DEADLINE_MS, `${branchName(branch)} ${editNames(edits)}`);
      await pool.run(call, caller, (attempt) => {
        const messages = [{ body: { $case: 'setCommit', value: head } } as const, ...editMessages(edits)];
        return clientStream<ModifyFileRequest, unknown>(attempt, messages, SPOILING, (...rest) =>
          attempt.channel.pfs.modifyFile(...rest),
        );
      });
    },

    /** Makes a file set out of edits, in their order. It lives ten minutes. Gives its id. */
    createEditSet: (caller: Caller, edits: readonly FileEdit[]): Promise<string> =>
      editSet(caller, edits, MODIFY_DEADLINE_MS),

    /** Adds a file set to an open commit, whole or not at all: pachd looks at the commit's state in the same transaction. */
    async addFileSet(caller: Caller, commit: CommitRef, fileSetId: string): Promise<void> {
      const request = { commit: commitMessage(commit), fileSetId };
      const call = write('AddFileSet', SHORT_DEADLINE_MS, `${commitKey(commit)} ${fileSetId}`);
      await pool.run(call, caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.pfs.addFileSet(request, ...rest)),
      );
    },

    /**
     * Stores a stream of bytes as one file of a new file set, which lives ten minutes. Gives its id. If the stream throws,
     * nothing is stored. @param content in chunks; each group of them is one message, at most 4 MiB
     */
    async createFileSet(caller: Caller, path: string, content: AsyncIterable<readonly Uint8Array[]>): Promise<string> {
      const { path: method, responseDeserialize } = PfsService.createFileSet;
      const call = { name: 'CreateFileSet', repeat: 'never', deadlineMs: FILE_SET_DEADLINE_MS } as const;
      const { fileSetId } = await pool.run(call, caller, (attempt) =>
        clientStream<Buffer, { fileSetId: string }>(
          attempt,
          contentMessages(path, content),
          Buffer.alloc(0),
          (metadata, options, done) =>
            attempt.channel.pfs.makeClientStreamRequest(
              method,
              asItIs,
              responseDeserialize,
              metadata,
              options,
              (error, response) => done(error, response ?? { fileSetId: '' }),
            ),
        ),
      );
      return fileSetId;
    },

    /** Layers file sets in order into a new one; content of equal paths is joined. No bytes move. Gives the new set's id. */
    async composeFileSet(caller: Caller, fileSetIds: readonly string[], ttlSeconds: number): Promise<string> {
      const request = { fileSetIds: [...fileSetIds], ttlSeconds, compact: false };
      const call = write('ComposeFileSet', COMPOSE_DEADLINE_MS, fileSetIds.join(' '));
      const { fileSetId } = await pool.run(call, caller, (attempt) =>
        unary<{ fileSetId: string }>(attempt, (...rest) => attempt.channel.pfs.composeFileSet(request, ...rest)),
      );
      return fileSetId;
    },

    /**
     * Copies one file of a file set into a new one, which lives ten minutes. What was composed is one piece there: pachd reads what
     * stands at the seams and cuts it anew, which for parts not larger than its chunks (some 8 MB) is all of it. So it takes
     * long, and the copy of the copy does not. Gives the new set's id.
     */
    joinFileSet: (caller: Caller, fileSetId: string, path: string): Promise<string> =>
      editSet(caller, [{ kind: 'copy', path, source: { fileSetId }, sourcePath: path }], FILE_SET_DEADLINE_MS),

    /** Makes a file set live `ttlSeconds` (1 to 1800) from now. */
    async renewFileSet(caller: Caller, fileSetId: string, ttlSeconds: number): Promise<void> {
      const call = { ...write('RenewFileSet', SHORT_DEADLINE_MS, fileSetId), repeat: 'safe' } as const;
      await pool.run(call, caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.pfs.renewFileSet({ fileSetId, ttlSeconds }, ...rest)),
      );
    },
  };
}

/** What edits are about. */
function editNames(edits: readonly FileEdit[]): string {
  return edits.map(({ kind, path }) => `${kind} ${path}`).join(' ');
}

function* editMessages(edits: readonly FileEdit[]): Generator<ModifyFileRequest> {
  for (const edit of edits) {
    switch (edit.kind) {
      case 'add':
        yield* addMessages(edit.path, edit.content);
        break;
      case 'delete':
        yield { body: { $case: 'deleteFile', value: { path: edit.path, datum: '' } } };
        break;
      case 'copy':
        yield {
          body: {
            $case: 'copyFile',
            value: { dst: edit.path, datum: '', src: fileMessage(edit.source, edit.sourcePath), append: false },
          },
        };
        break;
    }
  }
}

/** An empty file is one message without bytes; `add_file` appends, so a larger one is as many as it takes. */
function* addMessages(path: string, content: Uint8Array): Generator<ModifyFileRequest> {
  let at = 0;
  do {
    const value = content.subarray(at, at + PIECE_BYTES);
    yield { body: { $case: 'addFile', value: { path, datum: '', source: { $case: 'raw', value } } } };
    at += PIECE_BYTES;
  } while (at < content.length);
}

async function* contentMessages(path: string, content: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Buffer> {
  yield addFileMessage(path, [], 0);
  for await (const chunks of content) {
    yield addFileMessage(
      path,
      chunks,
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    );
  }
}

function asItIs(message: Buffer): Buffer {
  return message;
}
