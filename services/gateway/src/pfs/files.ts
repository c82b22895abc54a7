import { LRUCache } from 'lru-cache';
import type { Facts } from '../cache/facts.ts';
import type { Pachd } from '../pachd/client.ts';
import { type Caller, type CommitRef, commitKey, type FileSource } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { Failure } from './failure.ts';
import type { Names } from './names.ts';
import type { DeltaEntry } from './overlay.ts';
import type { BucketView } from './state.ts';

/** An object as a view shows it. */
export interface ObjectInfo {
  readonly path: string;
  readonly sizeBytes: number;
  /** 32 bytes, a function of the content. */
  readonly hash: Uint8Array;
  readonly lastModifiedMs: number;
  /** The commit that it is read from. */
  readonly commitId: string;
}

export interface OpenObject {
  readonly info: ObjectInfo;
  /** The whole content, where it is at hand. */
  readonly content: Uint8Array | undefined;
  /** The bytes from `first` to `last`, both inclusive and within the object; pulled as the reader takes them. */
  bytes(first: number, last: number): AsyncIterable<Uint8Array>;
}

/** A file, as pachd is asked for it. */
export interface Place {
  readonly source: FileSource;
  readonly path: string;
}

export interface Located {
  readonly info: ObjectInfo;
  readonly place: Place;
}

/** How often an open commit is looked at that changes at the same moment. */
const SNAPSHOTS_MAX = 10;

/** How long the fleet keeps a small content. */
const SHARED_MS = 600_000;
/** Objects up to this size are read whole and kept. */
const SMALL_MAX_BYTES = 256 << 10;

export interface Files {
  /** undefined: there is no such object. A folder is none. */
  stat(caller: Caller, view: BucketView, path: string): Promise<ObjectInfo | undefined>;
  /** @throws Failure no-such-key */
  open(caller: Caller, view: BucketView, path: string): Promise<OpenObject>;
  /** An object, and where pachd has just this content of it; undefined: there is no such object. */
  locate(caller: Caller, view: BucketView, path: string): Promise<Located | undefined>;
  /** The bytes at a place from `first` to `last`, both inclusive. @throws when the file ends before */
  bytesAt(caller: Caller, place: Place, first: number, last: number): AsyncIterable<Uint8Array>;
  /** Keeps what a commit that was just made has at a path. */
  prime(commit: CommitRef, path: string, hash: Uint8Array, content: Uint8Array): void;
}

/**
 * What is known of a finished commit's files never changes: it is kept by commit and path. Nothing of an open commit is kept.
 * What pending commits changed is known by their deltas; its bytes come from memory, or from the file set that was committed.
 * The caller's permission is checked before any of this is called, since what is kept is served to whoever asks.
 * @param shared what the fleet knows already
 * @param contentCacheBytes how much content is kept in memory; 0: none, and none is shared
 */
export function createFiles(pachd: Pachd, names: Names, shared: Facts<Uint8Array>, contentCacheBytes: number): Files {
  const count = countCache('content');
  const contents =
    contentCacheBytes === 0
      ? undefined
      : new LRUCache<string, Uint8Array>({
          maxSize: contentCacheBytes,
          sizeCalculation: (bytes, key) => bytes.length + key.length + 100,
        });

  /** What a pending commit put. pachd alone knows the hash of a large file, and tells it when the commit is finished. */
  const pendingInfo = async (
    caller: Caller,
    view: BucketView,
    path: string,
    entry: DeltaEntry & { kind: 'put' },
  ): Promise<ObjectInfo | undefined> => {
    const { commitId, sizeBytes, timeMs } = entry;
    const commit = { project: view.bucket.project, repo: view.bucket.repo, commitId };
    const hash = entry.hash ?? (await hashWhenFinished(caller, commit, path));
    return hash && { path, sizeBytes, hash, lastModifiedMs: timeMs, commitId };
  };

  const hashWhenFinished = async (caller: Caller, commit: CommitRef, path: string): Promise<Uint8Array | undefined> => {
    await pachd.inspectCommit(caller, commit, 'finished');
    return (await names.file(caller, commit, path, true))?.hash;
  };

  const stat = async (caller: Caller, view: BucketView, path: string): Promise<ObjectInfo | undefined> => {
    const entry = view.overlay.find(path);
    if (entry !== undefined) return entry.kind === 'deleted' ? undefined : pendingInfo(caller, view, path, entry);
    if (view.commit === undefined) return undefined;
    const found = await names.file(caller, view.commit, path, !view.open);
    const { commitMs: lastModifiedMs, commit } = view;
    return found && { path, sizeBytes: found.sizeBytes, hash: found.hash, lastModifiedMs, commitId: commit.commitId };
  };

  const commitOf = (view: BucketView, { commitId }: ObjectInfo): CommitRef => ({
    project: view.bucket.project,
    repo: view.bucket.repo,
    commitId,
  });

  /** A pending commit cannot be read before it is finished, but what it was made of can. */
  const placeOf = async (caller: Caller, view: BucketView, info: ObjectInfo): Promise<Place> => {
    const commit = commitOf(view, info);
    const entry = view.overlay.find(info.path);
    if (entry?.kind !== 'put') return { source: commit, path: info.path };
    if (entry.staged !== undefined) return { source: { fileSetId: entry.staged.fileSetId }, path: entry.staged.path };
    await pachd.inspectCommit(caller, commit, 'finished');
    return { source: commit, path: info.path };
  };

  /**
   * An open commit changes under its reader: what is said of the object and what is read of it must be the same. Content comes from a
   * snapshot, and what was said before it and after it must be equal.
   */
  const locateOpen = async (caller: Caller, view: BucketView, path: string): Promise<Located | undefined> => {
    if (view.commit === undefined) return undefined;
    for (let attempt = 0; attempt < SNAPSHOTS_MAX; attempt++) {
      const before = await stat(caller, view, path);
      if (before === undefined) return undefined;
      const fileSetId = await pachd.snapshot(caller, view.commit);
      const after = await stat(caller, view, path);
      if (after !== undefined && Buffer.compare(before.hash, after.hash) === 0) {
        return { info: after, place: { source: { fileSetId }, path } };
      }
    }
    throw new Failure('busy', 'the open commit changes too quickly to be read');
  };

  const locate = async (caller: Caller, view: BucketView, path: string): Promise<Located | undefined> => {
    if (view.open) return locateOpen(caller, view, path);
    const info = await stat(caller, view, path);
    return info && { info, place: await placeOf(caller, view, info) };
  };

  return {
    stat,
    locate,
    bytesAt,

    async open(caller, view, path) {
      const found = view.open ? await locateOpen(caller, view, path) : await stat(caller, view, path);
      if (found === undefined) throw noSuchKey(path);
      const info = 'place' in found ? found.info : found;
      const place = async () => ('place' in found ? found.place : placeOf(caller, view, found));
      const content = info.sizeBytes <= SMALL_MAX_BYTES ? await readSmall(caller, view, info, place) : undefined;
      return {
        info,
        content,
        bytes: (first, last) =>
          content === undefined
            ? deferred(async () => bytesAt(caller, await place(), first, last))
            : once(content.subarray(first, last + 1)),
      };
    },

    prime(commit, path, hash, content) {
      names.note(commit, { path, kind: 'file', sizeBytes: content.length, hash });
      if (content.length > 0 && content.length <= SMALL_MAX_BYTES) keep(commitKey(commit) + path, content);
    },
  };

  async function readSmall(
    caller: Caller,
    view: BucketView,
    info: ObjectInfo,
    place: () => Promise<Place>,
  ): Promise<Uint8Array> {
    if (info.sizeBytes === 0) return new Uint8Array(0);
    const key = commitKey(commitOf(view, info)) + info.path;
    const known = view.open ? undefined : await keptContent(key, info.sizeBytes);
    if (known !== undefined) return known;
    const content = new Uint8Array(info.sizeBytes);
    let at = 0;
    for await (const bytes of bytesAt(caller, await place(), 0, info.sizeBytes - 1)) {
      content.set(bytes, at);
      at += bytes.length;
    }
    if (!view.open) keep(key, content);
    return content;
  }

  async function keptContent(key: string, sizeBytes: number): Promise<Uint8Array | undefined> {
    if (contents === undefined) return undefined;
    const own = contents.get(key);
    count.asked(own !== undefined);
    if (own !== undefined) return own;
    const { value } = (await shared.get(key)) ?? {};
    if (value?.length !== sizeBytes) return undefined;
    contents.set(key, value);
    return value;
  }

  function keep(key: string, content: Uint8Array): void {
    if (contents === undefined) return;
    contents.set(key, content);
    shared.note(key, content, SHARED_MS);
  }

  /** Reads a part of a file. A part that ends with the file is read to the end of pachd's stream, one that does not leaves it. */
  async function* bytesAt(
    caller: Caller,
    { source, path }: Place,
    first: number,
    last: number,
  ): AsyncGenerator<Uint8Array> {
    let left = last - first + 1;
    if (left <= 0) return;
    for await (const bytes of pachd.readFile(caller, source, path, first)) {
      if (left === 0) return;
      const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
      left -= part.length;
      yield part;
      if (part.length < bytes.length) return;
    }
    if (left > 0) throw new Failure('unexpected', `${path} ended ${left} bytes early`);
  }
}

function noSuchKey(path: string): Failure {
  return new Failure('no-such-key', `there is no object at ${path}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* deferred(start: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  yield* await start();
}
