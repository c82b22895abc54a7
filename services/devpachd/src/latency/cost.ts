/** What a call does, as far as it takes a real pachd its time. Handlers write it down as they go. */
export interface Cost {
  /** What is read: a commit, which pachd makes a new file set of for each call; an open one, which it puts together; or a file set. */
  source: 'commit' | 'open' | 'set' | 'none';
  /** Files in what is read; for ListCommit and InspectRepo, the commits of the repo. */
  files: number;
  /** File sets in an open commit, or in a composition. */
  sets: number;
  /** Entries looked at. */
  scanned: number;
  /** Of these, the ones read for the size and hash of a directory. */
  hashed: number;
  /** Messages, or files in a tar stream. */
  sent: number;
  readBytes: number;
  writtenFiles: number;
  writtenBytes: number;
  /** The pattern has a range of paths, so many alternatives in braces, or wildcards. */
  bounded: boolean;
  alternatives: number;
  wild: boolean;
  /** Told apart where pachd does: a marker, a branch in place of an id, a compaction at once, a repo's metadata, a commit's finishing. */
  variant: 'plain' | 'marker' | 'branch' | 'compact' | 'repo' | 'finishing';
  /** What was read before is in pachd's memory. */
  again: boolean;
  /** The branch that a commit is made on; calls on one get into each other's way. */
  branch: string;
}

export function newCost(): Cost {
  return {
    source: 'none',
    files: 0,
    sets: 0,
    scanned: 0,
    hashed: 0,
    sent: 0,
    readBytes: 0,
    writtenFiles: 0,
    writtenBytes: 0,
    bounded: false,
    alternatives: 0,
    wild: false,
    variant: 'plain',
    again: false,
    branch: '',
  };
}
