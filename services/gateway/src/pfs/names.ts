import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { Facts } from '../cache/facts.ts';
import { createFlights } from '../cache/flight.ts';
import type { Pachd } from '../pachd/client.ts';
import { type Caller, type CommitRef, commitKey, detached, type FileSummary } from '../pachd/model.ts';
import { countCache } from '../telemetry/metrics.ts';
import { foldersAbove } from './key.ts';

/** What a finished commit has under a name. 'no file': whether there is a directory of that name was not looked at. */
export type Named = FileSummary | 'directory' | 'nothing' | 'no file';

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
 * What finished commits have under which names: it never changes, so it is kept by commit and path. The caller's permission is
 * checked before any of this is called, since what is kept is served to whoever asks.
 */
export interface Names {
  /** A file by its exact path; undefined if there is none, or a directory of that name. @param keep false for an open commit */
  file(caller: Caller, commit: CommitRef, path: string, keep: boolean): Promise<FileSummary | undefined>;
  /** What is known of a name without asking pachd. */
  known(commit: CommitRef, path: string): Named | undefined;
  /** Keeps what a commit that was just made has under a name. */
  note(commit: CommitRef, file: FileSummary): void;
  /** Finds out about many names of a finished commit at once, where that is likely to be sooner done. */
  survey(caller: Caller, commit: CommitRef, paths: readonly string[]): Promise<void>;
}

/** @param shared what the fleet knows already */
export function createNames(pachd: Pachd, shared: Facts<Named>): Names {
  const count = countCache('name');
  const names = new LRUCache<string, Named>({
    maxSize: NAMES_MAX_BYTES,
    sizeCalculation: (_, key) => key.length + NAME_BYTES,
  });
  const looking = createFlights<FileSummary | undefined>();
  /** Repos of which a survey takes long. */
  const slow = new LRUCache<string, true>({ max: REPOS_MAX, ttl: SLOW_KEPT_MS });
  const limit = pLimit(SURVEYS_AT_ONCE);

  const surveyPart = async (caller: Caller, commit: CommitRef, paths: readonly string[]): Promise<void> => {
    const found = new Map<string, Named>();
    for await (const file of pachd.findFiles(detached(caller), commit, paths)) {
      if (file.kind === 'file') found.set(file.path, file);
      else found.set(file.path.slice(0, -1), 'directory');
    }
    for (const path of paths) names.set(commitKey(commit) + path, found.get(path) ?? 'nothing');
  };

  /** What is below a name that is nothing, or a file, is nothing. */
  const known = (commit: CommitRef, path: string): Named | undefined => {
    const own = names.get(commitKey(commit) + path);
    if (own !== undefined && own !== 'no file') return own;
    const isNothing = foldersAbove(path).some((folder) => {
      const above = names.get(commitKey(commit) + folder);
      return above !== undefined && above !== 'directory' && above !== 'no file';
    });
    return isNothing ? 'nothing' : own;
  };

  return {
    async file(caller, commit, path, keep) {
      if (!keep) return pachd.statFile(caller, commit, path);
      const key = commitKey(commit) + path;
      const name = known(commit, path);
      count.asked(name !== undefined);
      if (name !== undefined) return typeof name === 'string' ? undefined : name;
      return looking(key, async () => {
        const { value } = await shared.find(key, async () => {
          const found = await pachd.statFile(detached(caller), commit, path);
          return { value: found ?? 'no file', forMs: SHARED_MS };
        });
        names.set(key, value);
        return typeof value === 'string' ? undefined : value;
      });
    },

    known,
    note(commit, file) {
      const key = commitKey(commit) + file.path;
      names.set(key, file);
      shared.note(key, file, SHARED_MS);
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
}

function repoKey({ project, repo }: CommitRef): string {
  return `${project}/${repo}`;
}
