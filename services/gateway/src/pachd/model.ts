import { setMaxListeners } from 'node:events';

/** What pachd has, as plain values: no stub, status or stream leaves this room. Times are in milliseconds since 1970. */

export interface RepoRef {
  readonly project: string;
  readonly repo: string;
}

export interface BranchRef extends RepoRef {
  readonly branch: string;
}

export interface CommitRef extends RepoRef {
  /** 32 hex digits. */
  readonly commitId: string;
}

/** Who asks, and for how long: goes with every call. */
export interface Caller {
  /** The Pachyderm token; undefined where none was given. Never to be logged. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** By when all of its calls must have ended, in milliseconds since 1970; pachd is told. */
  readonly deadlineMs?: number;
}

export interface RepoSummary {
  readonly ref: RepoRef;
  readonly branches: readonly string[];
  readonly createdMs: number;
  /** The caller's permissions; undefined where auth is off. */
  readonly permissions: ReadonlySet<RepoPermission> | undefined;
}

export interface BranchSummary {
  readonly headId: string;
  /** The output of a pipeline, or of another branch: only its provenance writes to it. */
  readonly derived: boolean;
  /** The strings that it carries beside its commits. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface CommitSummary {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly state: 'open' | 'finishing' | 'finished';
  /** Why it failed; empty for a good one. */
  readonly error: string;
  readonly startedMs: number;
  readonly finishedMs: number | undefined;
  /** Made by one ModifyFile, in one transaction: nobody ever saw it open. */
  readonly oneOff: boolean;
}

export interface FileSummary {
  /** Begins with a slash; a directory's ends in one. */
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly sizeBytes: number;
  /** 32 bytes, a function of the content alone. */
  readonly hash: Uint8Array;
}

/** What a file call reads: a commit of a repo, or a file set (whose id is a capability: whoever knows it may read it). */
export type FileSource = CommitRef | { readonly fileSetId: string };

/** One step of a ModifyFile, in the order sent. Paths begin with a slash and never end in one. */
export type FileEdit =
  | { readonly kind: 'add'; readonly path: string; readonly content: Uint8Array }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'copy'; readonly path: string; readonly source: FileSource; readonly sourcePath: string };

export type RepoPermission = 'read' | 'write' | 'list' | 'inspect' | 'createBranch' | 'deleteBranch' | 'delete';

/** The repo whose commits are the file sets. */
export const FILE_SET_REPO = '__filesets__';

/** What a commit is called in caches; of another repo's commit it is never the same. */
export function commitKey({ project, repo, commitId }: CommitRef): string {
  return `${project}/${repo}@${commitId}`;
}

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);

/** The caller of work that others wait for too: it does not end when the one who began it goes away; the calls' deadlines bound it. */
export function detached({ token }: Caller): Caller {
  return { token, signal: NEVER };
}
