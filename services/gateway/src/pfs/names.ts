import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { Facts } from '../cache/facts.ts';
import { createFlights } from '../cache/flight.ts';
import type { Pachd } from '../pachd/client.ts';
import { isOfCaller } from '../pachd/errors.ts';
import { type Caller, type CommitRef, commitKey, detached, type FileSummary } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { foldersAbove } from './key.ts';
import type { Lineage } from './lineage.ts';
import type { DeltaEntry } from './overlay.ts';
import type { Sets } from './read/sets.ts';

/** What a finished commit has under a name. 'no file': whether there is a directory of that name was not looked at. */
export type Named = FileSummary | 'directory' | 'nothing' | 'no file';

/** How far back it is looked for what a commit has from the ones before. */
const STEPS_MAX = 64;

/** How long the fleet keeps what it was told of a name. */
const SHARED_MS = 600_000;
const NAMES_MAX_BYTES = 32 << 20;
/** What an entry costs beside its key: the object, its hash, and the cache's own. */
const NAME_BYTES = 400;

/** Fewer names are found sooner one by one. */
const SURVEY_MIN = 8;
/** Of one call: what it costs beside the names is what pachd scans between the first and the last of them. */
const SURVEY_MAX = 64;
const SURVEYS_AT_ONCE = 4;
/** Longer names are looked up one by one: 64 of them would be a pattern that pachd takes long to compile. */
const SURVEYED_MAX_BYTES = 256;
/** Where a survey takes longer for a name than this, and long in all, names are looked up one by one, for a while. */
const NAME_MAX_MS = 20;
const SURVEY_MAX_MS = 1_000;
const SLOW_KEPT_MS = 60_000;
const REPOS_MAX = 10_000;

/**
 * What finished commits have under which names: it never changes, so it is kept by commit and path, and what a commit did not change is as
 * in the one before. The caller's permission is checked before any of this is called, since what is kept is served to whoever asks.
 */
export interface Names {
  /** A file by its exact path; undefined if there is none, or a directory of that name. @param keep false for an open commit */
  file(caller: Caller, commit: CommitRef, path: string, keep: boolean): Promise<FileSummary | undefined>;
  /** What is known of a name without asking anybody. */
  known(commit: CommitRef, path: string): Named | undefined;
  /** The same, and what the fleet knows; pachd is asked at the most whether a commit is a good one. */
  recall(caller: Caller, commit: CommitRef, path: string): Promise<Named | undefined>;
  /** Keeps what a commit has under a name, for the fleet. */
  note(commit: CommitRef, path: string, named: Named): void;
  /** Keeps whether a commit has a folder of a name. */
  noteFolder(commit: CommitRef, path: string, isFolder: boolean): void;
  /** Keeps what a list said. */
  learn(commit: CommitRef, files: readonly FileSummary[]): void;
  /** Finds out about many names of a finished commit at once, where that is likely to be sooner done. */
  survey(caller: Caller, commit: CommitRef, paths: readonly string[]): Promise<void>;
}

export interface NamesParts {
  readonly pachd: Pick<Pachd, 'statFile' | 'findFiles' | 'inspectCommit'>;
  readonly sets: Sets;
  readonly lineage: Lineage;
  /** What the fleet knows already. */
  readonly shared: Facts<Named>;
}

export function createNames({ pachd, sets, lineage, shared }: NamesParts): Names {
  const count = countCache('name');
  const names = new LRUCache<string, Named>({
    maxSize: NAMES_MAX_BYTES,
    sizeCalculation: (_, key) => key.length + NAME_BYTES,
  });
  const looking = createFlights<Named>(isOfCaller);
  /** Repos of which a survey takes long. */
  const slow = new LRUCache<string, true>({ max: REPOS_MAX, ttl: SLOW_KEPT_MS });
  const limit = pLimit(SURVEYS_AT_ONCE);

  const surveyPart = async (caller: Caller, commit: CommitRef, paths: readonly string[]): Promise<void> => {
    const found = await sets.properties(caller, commit, async (source) => {
      const named = new Map<string, Named>();
      for await (const file of pachd.findFiles(detached(caller), source, paths)) {
        if (file.kind === 'file') named.set(file.path, file);
        else named.set(file.path.slice(0, -1), 'directory');
      }
      return named;
    });
    for (const path of paths) names.set(commitKey(commit) + path, found.get(path) ?? 'nothing');
  };

  /** What is below a name that is nothing, or a file, is nothing. */
  const here = (commit: CommitRef, path: string): Named | undefined => {
    const own = names.get(commitKey(commit) + path);
    if (own !== undefined && own !== 'no file') return own;
    const isNothing = foldersAbove(path).some((folder) => {
      const above = names.get(commitKey(commit) + folder);
      return above !== undefined && above !== 'directory' && above !== 'no file';
    });
    return isNothing ? 'nothing' : own;
  };

  /** The same, and what a commit has from the ones before. A commit that may have failed is named instead of what it says. */
  const carried = (commit: CommitRef, path: string): Named | { readonly doubtful: CommitRef } | undefined => {
    let at = commit;
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const said = steps === 0 || lineage.isGood(at) ? here(at, path) : undefined;
      if (said !== undefined) {
        if (steps > 0) names.set(commitKey(commit) + path, said);
        return said;
      }
      const step = lineage.stepOf(at);
      if (step === undefined) return undefined;
      if (step.touches(path)) {
        const put = namedBy(step.delta.entries.get(path), path) ?? (step.putsBelow(path) ? 'directory' : undefined);
        if (put === undefined || steps === 0 || lineage.isGood(at)) return put;
        return { doubtful: at };
      }
      at = step.before;
    }
    return undefined;
  };

  const known = (commit: CommitRef, path: string): Named | undefined => {
    const said = carried(commit, path);
    return typeof said === 'object' && 'doubtful' in said ? undefined : said;
  };

  const recall: Names['recall'] = async (caller, commit, path) => {
    let said = carried(commit, path);
    count.asked(said !== undefined);
    if (typeof said === 'object' && 'doubtful' in said) {
      const { doubtful } = said;
      const { state, error } = await pachd.inspectCommit(detached(caller), doubtful, 'no');
      if (state === 'finished' && error === '') lineage.setGood(doubtful);
      said = known(commit, path);
    }
    if (said !== undefined) return said;
    const { value } = (await shared.get(commitKey(commit) + path)) ?? {};
    if (value !== undefined) names.set(commitKey(commit) + path, value);
    return value;
  };

  return {
    known,
    recall,

    async file(caller, commit, path, keep) {
      if (!keep) return pachd.statFile(caller, commit, path);
      const key = commitKey(commit) + path;
      const name = known(commit, path) ?? (await looking(key, () => lookUp(caller, commit, path)));
      return typeof name === 'string' ? undefined : name;
    },

    note(commit, path, named) {
      const key = commitKey(commit) + path;
      names.set(key, named);
      shared.note(key, named, SHARED_MS);
    },

    noteFolder(commit, path, isFolder) {
      if (isFolder) names.set(commitKey(commit) + path, 'directory');
      else if (known(commit, path) === 'no file') names.set(commitKey(commit) + path, 'nothing');
    },

    learn(commit, files) {
      for (const file of files) if (file.kind === 'file') names.set(commitKey(commit) + file.path, file);
    },

    async survey(caller, commit, paths) {
      const unknown = new Set<string>();
      for (const path of paths) {
        if (path.length > SURVEYED_MAX_BYTES || path.includes(',')) continue;
        const name = known(commit, path);
        if (name === undefined || name === 'no file') unknown.add(path);
      }
      if (unknown.size < SURVEY_MIN || slow.has(repoKey(commit))) return;
      const sorted = [...unknown].sort();
      const parts: Promise<void>[] = [];
      for (let at = 0; at < sorted.length; at += SURVEY_MAX) {
        parts.push(limit(() => surveyPart(caller, commit, sorted.slice(at, at + SURVEY_MAX))));
      }
      const begunMs = performance.now();
      await Promise.all(parts);
      const tookMs = performance.now() - begunMs;
      if (tookMs > Math.max(SURVEY_MAX_MS, NAME_MAX_MS * unknown.size)) slow.set(repoKey(commit), true);
    },
  };

  async function lookUp(caller: Caller, commit: CommitRef, path: string): Promise<Named> {
    const recalled = await recall(caller, commit, path);
    if (recalled !== undefined) return recalled;
    const found = await sets.properties(caller, commit, (source) => pachd.statFile(detached(caller), source, path));
    const named = found ?? 'no file';
    names.set(commitKey(commit) + path, named);
    shared.note(commitKey(commit) + path, named, SHARED_MS);
    return named;
  }
}

/** undefined: the commit alone knows it. */
function namedBy(entry: DeltaEntry | undefined, path: string): Named | undefined {
  if (entry === undefined) return undefined;
  if (entry.kind === 'deleted') return 'no file';
  return entry.hash && { path, kind: 'file', sizeBytes: entry.sizeBytes, hash: entry.hash };
}

function repoKey({ project, repo }: CommitRef): string {
  return `${project}/${repo}`;
}
