/** Times are in milliseconds since 1970. Ids of repos, layers and packs are numbers that are never used again. */
export interface ProjectRecord {
  readonly name: string;
  readonly description: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface RepoRecord {
  readonly id: number;
  readonly project: string;
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly createdAt: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A branch by the repo it stands in and its name. */
export type BranchKey = readonly [repoId: number, name: string];
/** A commit by its repo and its id, which commits of other repos may have, too: those that came of one transaction. */
export type CommitKey = readonly [repoId: number, id: string];

/** When a branch follows another of its repo: by what was committed there, or by a clock (`cronSpec`). */
export interface TriggerRecord {
  readonly branch: string;
  /** Whether all of the conditions have to hold, or one. */
  readonly all: boolean;
  readonly rateLimitSpec: string;
  readonly size: string;
  readonly commits: number;
  readonly cronSpec: string;
}

export interface BranchRecord {
  readonly seq: number;
  readonly repoId: number;
  readonly name: string;
  readonly head: string;
  /** The branches that this one is made from. One that has any is an output branch: only what feeds it starts commits on it. */
  readonly provenance: readonly BranchKey[];
  readonly trigger?: TriggerRecord;
  /** When the clock moved it last. */
  readonly tickedAt?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly createdBy: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type Origin = 'user' | 'auto';

/** OPEN until `finishing` is set, FINISHING until `finished` is set. Neither is ever unset. */
export interface CommitRecord {
  readonly seq: number;
  readonly repoId: number;
  readonly id: string;
  readonly branch: string;
  readonly origin: Origin;
  readonly description: string;
  readonly parent: string | null;
  /** The commits that this one is made from. */
  readonly provenance: readonly CommitKey[];
  readonly started: number;
  readonly finishing: number | null;
  readonly finished: number | null;
  readonly error: string;
  readonly sizeBytes: number;
  /** Milliseconds; null where nothing was compacted or validated. */
  readonly compactingMs: number | null;
  readonly validatingMs: number | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** The layers that the commit adds, oldest first. */
  readonly diff: readonly number[];
  /** All of its content, once it is FINISHED without an error. */
  readonly total: readonly number[] | null;
}

export interface FileSetRecord {
  readonly layers: readonly number[];
  /** 0: never. */
  readonly expiresAt: number;
}

/** An immutable run of file entries. It lives while something refers to it. */
export interface LayerRecord {
  readonly id: number;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly packs: readonly number[];
  readonly refs: number;
  /** When the last reference went, or when it was made without one. */
  readonly freeSince: number;
  /** The process whose stream is still to refer to it; empty once it was referred to, or given up. */
  readonly owner: string;
}

export interface PackRecord {
  readonly id: number;
  readonly refs: number;
  readonly owner: string;
  /** Still written to by its owner. */
  readonly open: boolean;
  readonly freeSince: number;
}

export interface LeaseRecord {
  readonly owner: string;
  readonly until: number;
}

export interface TokenRecord {
  readonly subject: string;
  /** 0: never. */
  readonly expiresAt: number;
}

/** Roles by principal. */
export type BindingRecord = Readonly<Record<string, readonly string[]>>;
