import { newCost } from '../../services/devpachd/src/latency/cost.ts';
import { BUSY_FACTOR, callMs, finishMs } from '../../services/devpachd/src/latency/model.ts';

/** What the model takes for granted. None of it was measured by this study. */

/** Of the fleets that are predicted. A gateway is one worker with a core of its own; one of four workers counts as four. */
export const GATEWAYS = [1, 2, 4, 8, 16, 32, 64];
export const BALANCER_CORES = 4;
/** Each asks again when it is answered. */
export const HOT_READERS_PER_GATEWAY = 32;
export const COLD_READERS_PER_GATEWAY = 16;
/** Of cold objects, where there are as many however many gateways; and what four workers have of the others. */
export const READERS_IN_ALL = 64;
export const WRITERS_PER_GATEWAY = 32;
/** That all writers of a fleet write to, each in a repo of its own. */
export const BRANCHES = 8;
/** How many pachds; each is taken to have a machine of its own, and not to wait for the others. */
export const PACHDS = [1, 8];

/** Recorded at a real pachd on two cores: reads of file sets a second, 16 at once (docs/devpachd.md, "As slow as a real pachd"). */
export const SET_READS_PER_SECOND = 215;
/** And how long one takes alone. */
export const SET_READ_SECONDS = callMs('pfs_v2.API/GetFileTAR', { ...newCost(), source: 'set', sent: 1 }) / 1_000;

/** Of a repo as large as those that are measured. */
const FILES = 1_000;
/** What one call of a round asks for (docs/architecture.md). */
export const NAMES_OF_A_LOOK = 64;

/** A round of so many new files: where the branch is, what is there of the names, the commit, and what it became; while others are finishing. */
export function roundSeconds(writes: number): number {
  const look = {
    ...newCost(),
    source: 'commit',
    files: FILES,
    alternatives: Math.min(writes, NAMES_OF_A_LOOK),
  } as const;
  const reads =
    callMs('pfs_v2.API/InspectBranch', newCost()) +
    Math.ceil(writes / NAMES_OF_A_LOOK) * callMs('pfs_v2.API/GlobFile', look) +
    callMs('pfs_v2.API/InspectCommit', newCost());
  const change = callMs('pfs_v2.API/ModifyFile', { ...newCost(), files: FILES, writtenFiles: writes });
  return (reads * BUSY_FACTOR + change) / 1_000;
}

/** What pachd needs to finish a commit, with others of its repo in line, and in so many repos at once. */
export function finishSeconds(repos: number, writes: number): number {
  const work = { files: FILES, newFiles: writes, sets: 1, hasBase: true, failed: false, isFollowed: true } as const;
  return finishMs({ ...work, busyRepos: repos }) / 1_000;
}

/** Keys of a round, and unfinished commits of a branch (docs/architecture.md). */
export const WRITES_MAX = 1_024;
export const PENDING_MAX = 4;
