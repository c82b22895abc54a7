import { LRUCache } from 'lru-cache';
import type { Pachd } from '../pachd/client.ts';
import { isPachdError } from '../pachd/errors.ts';
import type { Caller, CommitRef, FileSummary } from '../pachd/model.ts';
import { Failure } from './failure.ts';
import type { BucketView } from './state.ts';

/** An object as a view shows it. */
export interface ObjectInfo {
  readonly path: string;
  readonly sizeBytes: number;
  /** 32 bytes, a function of the content. */
  readonly hash: Uint8Array;
  readonly lastModifiedMs: number;
}

export interface OpenObject {
  readonly info: ObjectInfo;
  /** The whole content, where it is at hand. */
  readonly content: Uint8Array | undefined;
  /** The bytes from `first` to `last`, both inclusive and within the object; pulled as the reader takes them. */
  bytes(first: number, last: number): AsyncIterable<Uint8Array>;
}

/** Objects up to this size are read whole and kept. */
const SMALL_MAX_BYTES = 256 << 10;
const INFOS_MAX_BYTES = 32 << 20;
/** What an entry costs beside its key: the object, its hash, and the cache's own. */
const INFO_BYTES = 400;

export interface Files {
  /** undefined: there is no such object. A folder is none. */
  stat(caller: Caller, view: BucketView, path: string): Promise<ObjectInfo | undefined>;
  /** @throws Failure no-such-key */
  open(caller: Caller, view: BucketView, path: string): Promise<OpenObject>;
}

/**
 * What is known of a finished commit's files never changes: it is kept by commit and path. Nothing of an open commit is kept.
 * The caller's permission is checked before any of this is called, since what is kept is served to whoever asks.
 * @param contentCacheBytes how much content is kept in memory; 0: none
 */
export function createFiles(pachd: Pachd, contentCacheBytes: number): Files {
  const infos = new LRUCache<string, FileSummary | 'absent'>({
    maxSize: INFOS_MAX_BYTES,
    sizeCalculation: (_, key) => key.length + INFO_BYTES,
  });
  const contents =
    contentCacheBytes === 0
      ? undefined
      : new LRUCache<string, Uint8Array>({
          maxSize: contentCacheBytes,
          sizeCalculation: (bytes, key) => bytes.length + key.length + 100,
        });

  const summary = async (
    caller: Caller,
    view: BucketView,
    commit: CommitRef,
    path: string,
  ): Promise<FileSummary | undefined> => {
    const key = cacheKey(commit, path);
    const known = view.open ? undefined : infos.get(key);
    if (known !== undefined) return known === 'absent' ? undefined : known;
    const found = await pachd.statFile(caller, commit, path);
    if (!view.open) infos.set(key, found ?? 'absent');
    return found;
  };

  const stat = async (caller: Caller, view: BucketView, path: string): Promise<ObjectInfo | undefined> => {
    if (view.commit === undefined) return undefined;
    const found = await summary(caller, view, view.commit, path);
    return found && { path, sizeBytes: found.sizeBytes, hash: found.hash, lastModifiedMs: view.commitMs };
  };

  return {
    stat,
    async open(caller, view, path) {
      const info = await stat(caller, view, path);
      const commit = view.commit;
      if (info === undefined || commit === undefined) throw new Failure('no-such-key', `there is no object at ${path}`);
      const content = info.sizeBytes <= SMALL_MAX_BYTES ? await readSmall(caller, view, commit, info) : undefined;
      return {
        info,
        content,
        bytes: (first, last) =>
          content === undefined
            ? readRange(pachd, caller, commit, path, first, last)
            : once(content.subarray(first, last + 1)),
      };
    },
  };

  async function readSmall(
    caller: Caller,
    view: BucketView,
    commit: CommitRef,
    info: ObjectInfo,
  ): Promise<Uint8Array | undefined> {
    if (info.sizeBytes === 0) return new Uint8Array(0);
    const key = cacheKey(commit, info.path);
    const known = view.open ? undefined : contents?.get(key);
    if (known !== undefined) return known;
    const content = new Uint8Array(info.sizeBytes);
    let at = 0;
    try {
      for await (const bytes of pachd.readFile(caller, commit, info.path, 0)) {
        if (at + bytes.length > content.length) return undefined;
        content.set(bytes, at);
        at += bytes.length;
      }
    } catch (error) {
      if (isPachdError(error, 'file-not-found'))
        throw new Failure('no-such-key', `there is no object at ${info.path}`, error);
      throw error;
    }
    // An open commit may have changed since its size was asked for: then it is streamed as it is.
    if (at !== content.length) return undefined;
    if (!view.open) contents?.set(key, content);
    return content;
  }
}

/** Reads a part of a file, and leaves pachd's stream when it has it. @throws when the file ends before the part does */
async function* readRange(
  pachd: Pachd,
  caller: Caller,
  commit: CommitRef,
  path: string,
  first: number,
  last: number,
): AsyncGenerator<Uint8Array> {
  let left = last - first + 1;
  if (left <= 0) return;
  for await (const bytes of pachd.readFile(caller, commit, path, first)) {
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= part.length;
    yield part;
    if (left === 0) return;
  }
  throw new Failure('unexpected', `${path} ended ${left} bytes early`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function cacheKey(commit: CommitRef, path: string): string {
  return `${commit.project}/${commit.repo}@${commit.commitId}${path}`;
}
