import type { Pachd } from '../pachd/client.ts';
import type { Caller, CommitRef, FileSummary } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { Failure } from './failure.ts';
import type { Names } from './names.ts';
import type { DeltaEntry } from './overlay.ts';
import type { Ahead } from './read/ahead.ts';
import type { Place, ReadBytes } from './read/bytes.ts';
import type { Contents } from './read/contents.ts';
import type { Fetch } from './read/fetch.ts';
import type { Opened } from './read/opened.ts';
import type { Ranges } from './read/ranges.ts';
import type { Soon } from './soon.ts';
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

/** An object, and where this content of it is: in memory as long as pachd cannot read it yet, else at pachd. */
export type Located = { readonly info: ObjectInfo } & ({ readonly content: Uint8Array } | { readonly place: Place });

/** Objects up to this size are read whole and kept. */
export const SMALL_MAX_BYTES = 256 << 10;

export interface Files {
  /** undefined: there is no such object. A folder is none. */
  stat(caller: Caller, view: BucketView, path: string): Promise<ObjectInfo | undefined>;
  /** @throws Failure no-such-key */
  open(caller: Caller, view: BucketView, path: string): Soon<OpenObject>;
  /** Finds an object to be copied; undefined: there is no such object. */
  locate(caller: Caller, view: BucketView, path: string): Promise<Located | undefined>;
  /** The bytes of what was located from `first` to `last`, both inclusive; pulled as they are taken. */
  bytesAt(caller: Caller, located: Located, first: number, last: number): AsyncIterable<Uint8Array>;
  /** Keeps what a commit that was just made has at a path. */
  prime(commit: CommitRef, path: string, hash: Uint8Array, content: Uint8Array): void;
}

export interface FilesParts {
  readonly pachd: Pick<Pachd, 'inspectCommit'>;
  readonly names: Names;
  readonly contents: Contents;
  readonly fetch: Fetch;
  readonly readBytes: ReadBytes;
  readonly ranges: Ranges;
  readonly opened: Opened;
  /** undefined: nothing is read ahead. */
  readonly ahead: Ahead | undefined;
}

/**
 * What is known of a finished commit's files never changes, and is kept. Nothing of an open commit is kept. What pending commits changed is
 * known by their deltas; its bytes come from memory, or from the file set that was committed.
 * The caller's permission is checked before any of this is called, since what is kept is served to whoever asks.
 */
export function createFiles(parts: FilesParts): Files {
  const { pachd, names, contents, fetch, readBytes, ranges, opened, ahead } = parts;
  const countNames = countCache('name');

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

  const locate = async (caller: Caller, view: BucketView, path: string): Promise<Located | undefined> => {
    if (view.open) return view.commit && locateOpen(caller, view, view.commit, path);
    const info = await stat(caller, view, path);
    if (info === undefined) return undefined;
    const entry = view.overlay.find(path);
    const inMemory = entry?.kind === 'put' && entry.staged === undefined;
    const content = inMemory ? await keptContent(commitOf(view, info), info) : undefined;
    return content === undefined ? { info, place: await placeOf(caller, view, info) } : { info, content };
  };

  const locateOpen = async (caller: Caller, view: BucketView, commit: CommitRef, path: string) => {
    const pinned = await opened.pin(caller, commit, path);
    if (pinned === undefined) return undefined;
    const place: Place = { source: { fileSetId: pinned.fileSetId }, path };
    return { info: infoIn(view, commit, path, pinned.file), place };
  };

  /** A small object of a finished commit, where all of it is in memory. */
  const atHand = (caller: Caller, view: BucketView, path: string): OpenObject | undefined => {
    const { commit } = view;
    if (view.open || commit === undefined || view.overlay.find(path) !== undefined) return undefined;
    const named = names.known(commit, path);
    if (named === undefined || typeof named === 'string' || named.sizeBytes > SMALL_MAX_BYTES) return undefined;
    const content = named.sizeBytes === 0 ? NO_BYTES : contents.atHand(commit, named.hash);
    if (content === undefined) return undefined;
    // Where it is not at hand, it is asked for, and counted there.
    countNames.asked(true);
    ahead?.used(caller, commit, path);
    return { info: infoIn(view, commit, path, named), content, bytes: partsOf(content) };
  };

  /** An object of a finished commit: at hand, or in one call to pachd. A small one comes with its content. */
  const openFinished = async (caller: Caller, view: BucketView, commit: CommitRef, path: string) => {
    const infoOf = (file: Kept): ObjectInfo => infoIn(view, commit, path, file);
    const named = await names.recall(caller, commit, path);
    if (typeof named === 'string') return undefined;
    if (named !== undefined) {
      const info = infoOf(named);
      const content = await keptContent(commit, info);
      if (content !== undefined) ahead?.used(caller, commit, path);
      if (content !== undefined || info.sizeBytes > SMALL_MAX_BYTES) return { info, content };
    }
    const fetched = await fetch(caller, commit, path);
    if (fetched?.kind === 'small') return { info: infoOf(fetched.file), content: fetched.content };
    const file = fetched && (await names.file(caller, commit, path, true));
    return file && { info: infoOf(file), content: undefined };
  };

  /** What an open commit has, a small object with its content. */
  const openOpened = async (caller: Caller, view: BucketView, commit: CommitRef, path: string) => {
    const fetched = await opened.fetch(caller, commit, path);
    if (fetched?.kind === 'small') {
      const { file, content } = fetched;
      return { info: infoIn(view, commit, path, file), content, bytes: partsOf(content) };
    }
    const located = fetched && (await locateOpen(caller, view, commit, path));
    if (located === undefined) return undefined;
    const { info, place } = located;
    return { info, content: undefined, bytes: (first: number, last: number) => readBytes(caller, place, first, last) };
  };

  /** What a pending commit put, in memory or read as a whole if it is small. */
  const openPending = async (caller: Caller, view: BucketView, path: string) => {
    const info = await stat(caller, view, path);
    if (info === undefined) return undefined;
    const place = () => placeOf(caller, view, info);
    const content = info.sizeBytes <= SMALL_MAX_BYTES ? await readSmall(caller, view, info, place) : undefined;
    const bytes = (first: number, last: number) => deferred(async () => readBytes(caller, await place(), first, last));
    return { info, content, bytes: content === undefined ? bytes : partsOf(content) };
  };

  return {
    stat,
    locate,
    bytesAt: (caller, located, first, last) =>
      'content' in located ? partsOf(located.content)(first, last) : readBytes(caller, located.place, first, last),

    open: (caller, view, path) => atHand(caller, view, path) ?? openAsked(caller, view, path),

    prime(commit, path, hash, content) {
      names.note(commit, path, { path, kind: 'file', sizeBytes: content.length, hash });
      if (content.length > 0 && content.length <= SMALL_MAX_BYTES) contents.keep(commit, hash, content);
    },
  };

  async function openAsked(caller: Caller, view: BucketView, path: string): Promise<OpenObject> {
    const { commit } = view;
    if (view.open || commit === undefined || view.overlay.find(path) !== undefined) {
      const other =
        view.open && commit !== undefined
          ? await openOpened(caller, view, commit, path)
          : await openPending(caller, view, path);
      if (other === undefined) throw noSuchKey(path);
      return other;
    }
    const found = await openFinished(caller, view, commit, path);
    if (found === undefined) throw noSuchKey(path);
    const { info, content } = found;
    const streamed = (first: number, last: number) =>
      ranges.read(caller, commit, info, first, last) ?? readBytes(caller, { source: commit, path }, first, last);
    return { info, content, bytes: content === undefined ? streamed : partsOf(content) };
  }

  async function keptContent(commit: CommitRef, { sizeBytes, hash }: ObjectInfo): Promise<Uint8Array | undefined> {
    if (sizeBytes === 0) return NO_BYTES;
    if (sizeBytes > SMALL_MAX_BYTES) return undefined;
    return contents.get(commit, hash, sizeBytes);
  }

  async function readSmall(
    caller: Caller,
    view: BucketView,
    info: ObjectInfo,
    place: () => Promise<Place>,
  ): Promise<Uint8Array> {
    const commit = commitOf(view, info);
    const kept = await keptContent(commit, info);
    if (kept !== undefined) return kept;
    const content = new Uint8Array(info.sizeBytes);
    let at = 0;
    for await (const bytes of readBytes(caller, await place(), 0, info.sizeBytes - 1)) {
      content.set(bytes, at);
      at += bytes.length;
    }
    contents.keep(commit, info.hash, content);
    return content;
  }
}

const NO_BYTES = new Uint8Array(0);

type Kept = Pick<FileSummary, 'sizeBytes' | 'hash'>;

function infoIn(
  { commitMs }: BucketView,
  { commitId }: CommitRef,
  path: string,
  { sizeBytes, hash }: Kept,
): ObjectInfo {
  return { path, sizeBytes, hash, lastModifiedMs: commitMs, commitId };
}

function noSuchKey(path: string): Failure {
  return new Failure('no-such-key', `there is no object at ${path}`);
}

function partsOf(content: Uint8Array): OpenObject['bytes'] {
  return (first, last) => once(content.subarray(first, last + 1));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* deferred(start: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  yield* await start();
}
