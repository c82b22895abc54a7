import type { Cost } from './cost.ts';

/**
 * Milliseconds that calls take at a real pachd on an otherwise idle machine of two cores, fitted to the medians that were recorded there
 * (`loadtest/bench/devpachd-recorded.ts`; `npm run bench -- devpachd` shows how well). Where two runs of the recording disagree, between them.
 */
const MIB = 1_000_000;

type Ms = (cost: Cost) => number;

/** What a read of an open commit takes more: its sets are put together for each. */
const openMs = ({ source, sets }: Cost): number => (source === 'open' ? 20 + 1.2 * sets + 0.022 * sets ** 2 : 0);

const content = (bytes: number): number => (20 * Math.min(bytes, MIB) + 6.7 * Math.max(0, bytes - MIB)) / MIB;

const getFile: Ms = (cost) => {
  if (cost.source === 'set') return (cost.again ? 7 : 20) + content(cost.readBytes);
  const ranged = cost.bounded ? 0.0065 * cost.files : 0.14 * Math.sqrt(cost.files);
  return 21.5 + ranged + openMs(cost) + content(cost.readBytes);
};

const getFileTar: Ms = (cost) => {
  const set = cost.source === 'set';
  const files = (set ? 0.165 : 0.19) * cost.sent;
  const base = (set ? 2 : 26) + files + openMs(cost) + content(Math.max(0, cost.readBytes - 1000 * cost.sent));
  if (cost.alternatives === 0) return base + (set ? 0 : 0.0005 * cost.files);
  if (cost.bounded) return base + (set ? 0.004 : 0.0047) * cost.files;
  return base + (set ? 0.0132 : 0.0099 + 0.00018 * cost.alternatives) * cost.scanned;
};

const listFile: Ms = (cost) =>
  cost.source === 'set'
    ? 1.3 + 0.04 * cost.sent + 0.0153 * cost.hashed
    : 19 + 0.045 * cost.sent + 0.0225 * cost.hashed + openMs(cost);

const inspectFile: Ms = (cost) =>
  cost.source === 'set'
    ? (cost.hashed > 0 ? 1.3 : Math.min(1.3 + 0.0006 * cost.files, 7.5)) + 0.0138 * cost.hashed
    : 19 + 0.025 * cost.hashed + openMs(cost);

const globFile: Ms = (cost) => {
  const sent = cost.wild ? 0.045 * cost.sent : 0;
  if (cost.source === 'set') return 1.3 + sent + 0.0153 * cost.hashed;
  if (cost.wild) return 19 + sent + 0.0004 * cost.files + 0.0225 * cost.hashed + openMs(cost);
  const [baseMs, perRootMs] = cost.bounded ? [12, 0.59] : [14, 0.27];
  return baseMs + perRootMs * Math.sqrt(cost.files) + 0.0225 * cost.hashed + openMs(cost);
};

const walkFile: Ms = (cost) => {
  if (cost.source === 'set') return 1.3 + 0.04 * cost.sent + 0.0138 * cost.hashed;
  return 20 + 0.04 * cost.sent + 0.0004 * cost.files + 0.014 * cost.hashed + openMs(cost);
};

/** With the path of one file, or of the whole. */
const diffFile: Ms = ({ sent, hashed, files }) => 27 + (sent > 2 ? 0.8 * sent : 0) + 0.0005 * files + 0.0265 * hashed;

const written = ({ writtenFiles, writtenBytes }: Cost): number =>
  48 * (Math.max(0, writtenBytes - 1000 * writtenFiles) / MIB);

const CALLS: Readonly<Record<string, number | Ms>> = {
  'versionpb_v2.API/GetVersion': 1.9,
  'auth_v2.API/WhoAmI': 2.6,
  'auth_v2.API/Authorize': 8,
  'auth_v2.API/GetPermissions': 9,
  'pfs_v2.API/InspectProject': 3.5,
  'pfs_v2.API/InspectBranch': 7,
  // Of the whole history of master, up to what was recorded with 385 commits.
  'pfs_v2.API/InspectRepo': ({ files }) => 17 + 1.87 * Math.min(Math.max(0, files - 1), 384),
  'pfs_v2.API/ListRepo': ({ sent }) => 7 + sent,
  'pfs_v2.API/CreateRepo': 11,
  'pfs_v2.API/CreateBranch': 40,
  'pfs_v2.API/InspectCommit': ({ variant, readBytes }) => (variant === 'branch' ? 14 : 9) + 0.00012 * readBytes,
  'pfs_v2.API/ListCommit': ({ files, sent }) => 20 + 4.3 * files + 25 * Math.max(0, sent - 1),
  'pfs_v2.API/StartCommit': ({ variant }) => (variant === 'finishing' ? 57 : 46),
  'pfs_v2.API/FinishCommit': 11,
  'pfs_v2.API/ModifyFile': (cost) =>
    78 +
    0.15 * cost.writtenFiles +
    (cost.files > 0 ? 0.45 * Math.min(cost.writtenFiles, 256) + 0.0012 * cost.files : 0) +
    written(cost),
  'pfs_v2.API/CreateFileSet': (cost) =>
    5 + Math.max(3.4 * Math.sqrt(cost.writtenFiles), 0.15 * cost.writtenFiles) + written(cost),
  'pfs_v2.API/AddFileSet': 8.5,
  'pfs_v2.API/GetFileSet': 17,
  'pfs_v2.API/RenewFileSet': 4,
  'pfs_v2.API/ComposeFileSet': ({ sets, variant }) =>
    variant === 'compact' ? 6 + 32 * sets : 6 + 0.5 * sets + 0.0012 * sets ** 2,
  'pfs_v2.API/InspectFile': inspectFile,
  'pfs_v2.API/ListFile': listFile,
  'pfs_v2.API/WalkFile': walkFile,
  'pfs_v2.API/GlobFile': globFile,
  'pfs_v2.API/DiffFile': diffFile,
  'pfs_v2.API/GetFile': getFile,
  'pfs_v2.API/GetFileTAR': getFileTar,
  'metadata.API/EditMetadata': ({ variant, writtenBytes }) =>
    variant === 'repo' ? 127 : 10.5 + 0.134 * Math.sqrt(writtenBytes),
};

export function callMs(method: string, cost: Cost): number {
  const ms = CALLS[method] ?? 0;
  return typeof ms === 'number' ? ms : ms(cost);
}

/** What one call holds up others with: the calls that share a lane pass through it one after the other. */
export interface Hold {
  readonly lane: string;
  readonly ms: number;
}

/** `ahead`: how many are in a lane already. Transactions that get into each other's way are tried again, so they take longer together. */
export function holdOf(method: string, cost: Cost, ahead: (lane: string) => number): Hold | undefined {
  switch (method) {
    case 'pfs_v2.API/GetFile':
    case 'pfs_v2.API/GetFileTAR':
    case 'pfs_v2.API/InspectFile':
    case 'pfs_v2.API/ListFile':
    case 'pfs_v2.API/WalkFile':
    case 'pfs_v2.API/GlobFile':
      // Making a file set of a commit is a serializable transaction; of a set nothing is made.
      return cost.source === 'set'
        ? { lane: 'sets', ms: Math.min(4.6, callMs(method, cost)) }
        : { lane: 'commits', ms: Math.min(17 + 0.04 * Math.sqrt(cost.files), callMs(method, cost)) };
    case 'pfs_v2.API/AddFileSet':
      return { lane: 'additions', ms: 8.5 + 1.9 * ahead('additions') };
    case 'pfs_v2.API/ModifyFile':
      if (ahead(cost.branch) > 0) return { lane: 'one-off', ms: 227 };
      return { lane: 'one-off', ms: ahead('one-off') > 0 ? 125 : 71 };
    default:
      return undefined;
  }
}

/**
 * What so many bytes take of the machine when several read at once: 70 MB a second by commit and 97 by set, recorded with 8 readers of 3 MB. One
 * alone has what the model of its call gives it, up to 150.
 */
export function sharedReadMs(source: Cost['source'], bytes: number): number {
  return bytes / (source === 'set' ? 97_000 : 70_000);
}

/** While a commit is finishing, reads have less of the machine. */
export const BUSY_FACTOR = 2.4;
const READS = /\/(?:Get|Inspect|List|Walk|Glob|Diff)/;

export function isRead(method: string): boolean {
  return READS.test(method) && method.startsWith('pfs_v2');
}

/** What a commit's finishing has to do. */
export interface Finishing {
  /** Files of the repo, the commit's included. */
  readonly files: number;
  /** Of these, the commit's own. */
  readonly newFiles: number;
  /** File sets that were added to the commit. */
  readonly sets: number;
  /** Whether the commit goes on from another. */
  readonly hasBase: boolean;
  readonly failed: boolean;
  /** Whether other commits of the repo wait behind it. */
  readonly isFollowed: boolean;
  /** Repos in which commits are being finished. */
  readonly busyRepos: number;
}

/** More files than so many in one commit are compacted in several rounds. */
const ROUND_FILES = 20_000;

export function finishMs(work: Finishing): number {
  if (work.failed) return 100;
  const merging = 27 * Math.max(0, work.sets - 1);
  const rounds = 0.57 * Math.max(0, work.newFiles - ROUND_FILES);
  const aloneMs = work.hasBase
    ? 320 + 0.0125 * work.files + 0.5 * Math.min(work.newFiles, 200)
    : 140 + 0.0172 * work.files;
  const shared = work.busyRepos > 1 ? 2.4 * (work.busyRepos - 1) : work.isFollowed ? 1.6 : 1;
  return aloneMs * Math.max(1, shared) + merging + rounds;
}
