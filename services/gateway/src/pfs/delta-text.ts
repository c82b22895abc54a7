import type { Delta, DeltaEntry } from './overlay.ts';

/** How a delta is written down: a commit, and a row for each path. Times are in milliseconds, hashes in base64. */
interface DeltaText {
  readonly commitId: string;
  readonly rows: readonly (DeletedRow | PutRow)[];
}

type DeletedRow = readonly [path: string];
type PutRow = readonly [
  path: string,
  sizeBytes: number,
  timeMs: number,
  hash: string | null,
  staged: { readonly fileSetId: string; readonly path: string } | null,
];

export function writeDelta({ entries }: Delta): Uint8Array {
  let commitId = '';
  const rows = [...entries].map(([path, entry]): DeletedRow | PutRow => {
    if (entry.kind === 'deleted') return [path];
    commitId = entry.commitId;
    const hash = entry.hash && Buffer.from(entry.hash).toString('base64');
    const staged = entry.staged && { fileSetId: entry.staged.fileSetId, path: entry.staged.path };
    return [path, entry.sizeBytes, entry.timeMs, hash ?? null, staged ?? null];
  });
  return Buffer.from(JSON.stringify({ commitId, rows } satisfies DeltaText));
}

/** @param bytes what `writeDelta` gave: whoever reads them from elsewhere has found them authentic */
export function readDelta(bytes: Uint8Array): Delta {
  const { commitId, rows } = JSON.parse(Buffer.from(bytes).toString()) as DeltaText;
  const entries = new Map<string, DeltaEntry>();
  for (const row of rows) {
    const [path, sizeBytes, timeMs, hash, staged] = row;
    if (sizeBytes === undefined || timeMs === undefined) entries.set(path, { kind: 'deleted' });
    else {
      const known = typeof hash === 'string' ? Buffer.from(hash, 'base64') : undefined;
      entries.set(path, { kind: 'put', commitId, sizeBytes, timeMs, hash: known, staged: staged ?? undefined });
    }
  }
  return { entries };
}
