import type { Pachd } from '../../pachd/client.ts';
import type { Caller } from '../../pachd/model.ts';
import { HASHABLE_MAX_BYTES, pfsHash } from '../hash.ts';
import type { Budget } from './budget.ts';
import type { Content } from './change.ts';
import { createStagedHash } from './staged-hash.ts';

/** The path of the one file in a staged file set. The same for every part of an upload, so that composing them joins them. */
export const STAGED_PATH = '/content';

/** Bytes go to pachd in pieces of about this size, however small they come from the socket. */
const PIECE_BYTES = 256 << 10;
/** What a body holds at once: the million bytes that may yet be all of it, or the pieces that fill, are encoded and are sent. */
const SHARE_BYTES = 2 << 20;
/** What a small body costs beside its bytes, which are held twice for a moment. */
const SMALL_BYTES = 8 << 10;

/** A body that proves right or wrong at its end. */
export interface Body extends AsyncIterable<Uint8Array> {
  /** How many bytes it is to have; undefined: nobody knows. */
  readonly lengthBytes: number | undefined;
}

export type Stage = ReturnType<typeof createStage>;

export function createStage(pachd: Pachd, budget: Budget) {
  const stagedHash = createStagedHash(pachd);

  return {
    /** The hash of a staged file set's file; undefined: it will be known when the file is in a finished commit. */
    hash: (caller: Caller, fileSetId: string) => stagedHash(caller, fileSetId, STAGED_PATH),

    /**
     * Takes a verified body to where it can be committed from: memory when it is small, else a file set, into which it streams
     * as it comes. Call `release` when the content is committed or given up.
     * @throws what the body throws (nothing is stored then), Failure busy
     */
    async content(caller: Caller, body: Body): Promise<{ content: Content; release: () => void }> {
      const release = await budget.take(shareOf(body.lengthBytes), caller.signal);
      try {
        const chunks = body[Symbol.asyncIterator]();
        const head = await takeUpTo(chunks, HASHABLE_MAX_BYTES);
        if (head.ended) {
          const bytes = Buffer.concat(head.chunks, head.sizeBytes);
          return { content: { kind: 'memory', bytes, hash: pfsHash(bytes) }, release };
        }
        const counted = { sizeBytes: 0 };
        const fileSetId = await pachd.createFileSet(caller, STAGED_PATH, pieces(head.chunks, chunks, counted));
        release();
        const hash = await stagedHash(caller, fileSetId, STAGED_PATH);
        return {
          content: { kind: 'file-set', fileSetId, path: STAGED_PATH, sizeBytes: counted.sizeBytes, hash },
          release: () => {},
        };
      } catch (error) {
        release();
        throw error;
      }
    },

    /** Streams a verified body into a file set of one file. Gives its id and size. @throws what the body throws, Failure busy */
    async fileSet(caller: Caller, body: AsyncIterable<Uint8Array>): Promise<{ fileSetId: string; sizeBytes: number }> {
      const release = await budget.take(SHARE_BYTES, caller.signal);
      try {
        const counted = { sizeBytes: 0 };
        const fileSetId = await pachd.createFileSet(
          caller,
          STAGED_PATH,
          pieces([], body[Symbol.asyncIterator](), counted),
        );
        return { fileSetId, sizeBytes: counted.sizeBytes };
      } finally {
        release();
      }
    },
  };
}

function shareOf(lengthBytes: number | undefined): number {
  return lengthBytes === undefined ? SHARE_BYTES : Math.min(SMALL_BYTES + 2 * lengthBytes, SHARE_BYTES);
}

async function takeUpTo(chunks: AsyncIterator<Uint8Array>, maxBytes: number) {
  const taken: Uint8Array[] = [];
  let sizeBytes = 0;
  for (;;) {
    const next = await chunks.next();
    if (next.done) return { chunks: taken, sizeBytes, ended: true };
    taken.push(next.value);
    sizeBytes += next.value.length;
    if (sizeBytes > maxBytes) return { chunks: taken, sizeBytes, ended: false };
  }
}

/** Groups small chunks into pieces, and counts the bytes. Closes the source when nobody wants more. */
async function* pieces(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  counted: { sizeBytes: number },
): AsyncGenerator<readonly Uint8Array[]> {
  let held = [...first];
  let heldBytes = held.reduce((sum, chunk) => sum + chunk.length, 0);
  try {
    for (;;) {
      if (heldBytes >= PIECE_BYTES) {
        counted.sizeBytes += heldBytes;
        yield held;
        held = [];
        heldBytes = 0;
      }
      const next = await rest.next();
      if (next.done) break;
      held.push(next.value);
      heldBytes += next.value.length;
    }
    counted.sizeBytes += heldBytes;
    if (heldBytes > 0) yield held;
  } finally {
    await rest.return?.();
  }
}
