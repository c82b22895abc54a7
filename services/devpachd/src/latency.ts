/** How long things take at least. What devpachd itself needs is part of it, and usually much less. */
export interface Latency {
  /** Milliseconds from a call to its answer, or to a stream's first message. */
  readonly callMs: (method: string) => number;
  /** Milliseconds from a commit's turn to its being FINISHED, by the number of files in the repo. */
  readonly finishMs: (files: number) => number;
}

/** Medians of a real pachd on an idle machine of two cores, one client, small repos (`pfs_v2.API` unless said). */
const CALL_MS: Readonly<Record<string, number>> = {
  'pfs_v2.API/InspectProject': 4,
  'pfs_v2.API/InspectBranch': 7,
  'pfs_v2.API/InspectRepo': 17,
  'pfs_v2.API/InspectCommit': 12,
  'pfs_v2.API/ListCommit': 1500,
  'pfs_v2.API/CreateRepo': 11,
  'pfs_v2.API/CreateBranch': 40,
  'pfs_v2.API/ListRepo': 9,
  'pfs_v2.API/StartCommit': 54,
  'pfs_v2.API/FinishCommit': 16,
  'pfs_v2.API/ModifyFile': 72,
  'pfs_v2.API/CreateFileSet': 15,
  'pfs_v2.API/GetFileSet': 22,
  'pfs_v2.API/AddFileSet': 50,
  'pfs_v2.API/RenewFileSet': 4,
  'pfs_v2.API/ComposeFileSet': 8,
  'pfs_v2.API/InspectFile': 17,
  'pfs_v2.API/ListFile': 25,
  'pfs_v2.API/WalkFile': 28,
  'pfs_v2.API/GlobFile': 18,
  'pfs_v2.API/DiffFile': 27,
  'pfs_v2.API/GetFile': 23,
  'pfs_v2.API/GetFileTAR': 30,
  'auth_v2.API/WhoAmI': 3,
  'auth_v2.API/Authorize': 8,
  'auth_v2.API/GetPermissions': 9,
  'metadata.API/EditMetadata': 18,
  'versionpb_v2.API/GetVersion': 2,
};
const FINISH_MS = 450;
const FINISH_MS_PER_FILE = 0.013;

export const REAL: Latency = {
  callMs: (method) => CALL_MS[method] ?? 0,
  finishMs: (files) => FINISH_MS + FINISH_MS_PER_FILE * files,
};

/** As fast as it goes; only finishing takes so long, so that there are commits that are not finished. */
export function finishingIn(ms: number): Latency {
  return { callMs: () => 0, finishMs: () => ms };
}

/** Waits until `ms` have passed since `startedAt` (milliseconds, `performance.now`), or `signal` aborts. */
export function waitOut(startedAt: number, ms: number, signal?: AbortSignal): Promise<void> {
  const left = ms - (performance.now() - startedAt);
  if (left <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, left);
    signal?.addEventListener('abort', done);
  });
}
