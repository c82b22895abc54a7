import { type Caller, type CommitRef, detached, type FileSummary } from '../../pachd/model.ts';
import type { ReadBytes } from './bytes.ts';
import type { Contents } from './contents.ts';

/** Large objects are kept in pieces of this size, each at a multiple of it. */
const PIECE_BYTES = 256 << 10;
/** Longer ranges stream, and are not kept. */
const RANGE_MAX_BYTES = 1 << 20;

/** What is read a part of. */
type Large = Pick<FileSummary, 'path' | 'sizeBytes' | 'hash'>;

/**
 * Small ranges of large objects, as readers of Parquet ask for: a footer twice, then chunks of columns beside each other. They are read in
 * whole pieces, which are kept; neighbours are one call, and those who want the same at once share it.
 */
export interface Ranges {
  /** The bytes of an object of a finished commit; undefined: they are to be streamed. */
  read(
    caller: Caller,
    commit: CommitRef,
    large: Large,
    first: number,
    last: number,
  ): AsyncIterable<Uint8Array> | undefined;
}

export function createRanges(readBytes: ReadBytes, contents: Contents): Ranges {
  const reading = new Map<string, Promise<Uint8Array>>();

  /** Begins to read pieces that are next to each other, in one call. */
  const begin = (caller: Caller, commit: CommitRef, large: Large, pieces: readonly number[]): void => {
    const waiting = pieces.map((piece) => {
      const key = keyOf(commit, large, piece);
      const { promise, resolve, reject } = deferred();
      reading.set(key, promise);
      return { piece, key, resolve, reject };
    });
    const [from = 0, to = 0] = [pieces[0], pieces[pieces.length - 1]];
    const place = { source: commit, path: large.path };
    const bytes = readBytes(detached(caller), place, from * PIECE_BYTES, endOf(large, to));
    const sizes = pieces.map((piece) => endOf(large, piece) - piece * PIECE_BYTES + 1);
    const done = (error?: unknown) => {
      for (const { key, reject } of waiting.splice(0)) {
        reading.delete(key);
        reject(error);
      }
    };
    cut(bytes, sizes, (content) => {
      const next = waiting.shift();
      if (next === undefined) return;
      contents.keep(commit, large.hash, content, partOf(next.piece));
      reading.delete(next.key);
      next.resolve(content);
    }).then(() => done(new RangeError(`${large.path} ended early`)), done);
  };

  const pieceOf = async (
    caller: Caller,
    commit: CommitRef,
    large: Large,
    piece: number,
    missing: readonly number[],
  ): Promise<Uint8Array> => {
    const key = keyOf(commit, large, piece);
    if (!reading.has(key)) {
      const together: number[] = [];
      for (let next = piece; missing.includes(next) && !reading.has(keyOf(commit, large, next)); next++)
        together.push(next);
      begin(caller, commit, large, together);
    }
    return reading.get(key) ?? new Uint8Array(0);
  };

  async function* read(
    caller: Caller,
    commit: CommitRef,
    large: Large,
    first: number,
    last: number,
  ): AsyncGenerator<Uint8Array> {
    const pieces: number[] = [];
    for (let piece = Math.floor(first / PIECE_BYTES); piece * PIECE_BYTES <= last; piece++) pieces.push(piece);
    const kept = await Promise.all(
      pieces.map((piece) => {
        const sizeBytes = endOf(large, piece) - piece * PIECE_BYTES + 1;
        return contents.get(commit, large.hash, sizeBytes, partOf(piece));
      }),
    );
    const missing = pieces.filter((_, at) => kept[at] === undefined);
    for (const [at, piece] of pieces.entries()) {
      const content = kept[at] ?? (await pieceOf(caller, commit, large, piece, missing));
      const begin = piece * PIECE_BYTES;
      yield content.subarray(Math.max(0, first - begin), last - begin + 1);
    }
  }

  return {
    read: (caller, commit, large, first, last) =>
      last - first < RANGE_MAX_BYTES ? read(caller, commit, large, first, last) : undefined,
  };
}

function partOf(piece: number): string {
  return ` ${piece}`;
}

function keyOf({ project, repo }: CommitRef, { hash }: Large, piece: number): string {
  return `${project}/${repo} ${Buffer.from(hash).toString('latin1')}${partOf(piece)}`;
}

function endOf({ sizeBytes }: Large, piece: number): number {
  return Math.min(sizeBytes, (piece + 1) * PIECE_BYTES) - 1;
}

/** Cuts a stream into parts of these sizes, and gives each when it is whole. */
async function cut(
  bytes: AsyncIterable<Uint8Array>,
  sizes: readonly number[],
  give: (part: Uint8Array) => void,
): Promise<void> {
  const left = [...sizes];
  let part = new Uint8Array(left.shift() ?? 0);
  let filled = 0;
  for await (let chunk of bytes) {
    while (chunk.length > 0) {
      const taken = chunk.subarray(0, part.length - filled);
      part.set(taken, filled);
      filled += taken.length;
      chunk = chunk.subarray(taken.length);
      if (filled < part.length) break;
      give(part);
      const next = left.shift();
      if (next === undefined) return;
      [part, filled] = [new Uint8Array(next), 0];
    }
  }
}

function deferred() {
  let resolve = (_: Uint8Array) => {};
  let reject = (_: unknown) => {};
  const promise = new Promise<Uint8Array>((...settle) => {
    [resolve, reject] = settle;
  });
  // Nobody may wait for it any more.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
