import { mkdirSync } from 'node:fs';
import { type Database, type Key, open } from 'lmdb';
import { type CompletedRow, createUploadRegistry, type Due, type UploadRow, type UploadTable } from './upload-rules.ts';
import { PARTS_MAX, type PartRecord, UPLOADS_MAX, type UploadRegistry } from './uploads.ts';

/** How the rows look. A folder of another format is not touched. */
const FORMAT = 1;
/** Sorts behind every id, which is of ASCII. */
const BEHIND = '\uffff';

type RowKey = [bucket: string, id: string];

/**
 * The registry in a folder: what it has answered is on disk, and outlives the process. Several processes of one machine may have
 * the same folder.
 * @param alone nobody else has it: the claims that are in it are of processes that have died
 * @throws Error with one line if the folder cannot be used, is damaged, or is of another format. A file that is damaged badly may
 *   also end the process.
 */
export function openUploads(folder: string, alone: boolean): UploadRegistry {
  const root = explained(folder, () => {
    // Who knows the id of a file set may read it.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A commit that others can see is on disk already.
    return open({ path: folder, noSubdir: false, maxDbs: 8, overlappingSync: false });
  });
  const table = <V, K extends Key>(name: string): Database<V, K> => root.openDB<V, K>({ name });
  return explained(folder, () => {
    const meta = table<number, string>('meta');
    const format = meta.get('format') ?? FORMAT;
    if (format !== FORMAT) {
      throw new Error(`its format is ${format}, and this version knows ${FORMAT}; start the version that wrote it`);
    }
    const uploads = table<UploadRow, RowKey>('uploads');
    const completed = table<CompletedRow, RowKey>('completed');
    const parts = table<PartRecord, [id: string, number: number]>('parts');
    const due = table<true, [kind: Due['kind'], atMs: number, ...RowKey]>('due');
    root.transactionSync(() => {
      meta.putSync('format', FORMAT);
      // Each row is looked at once: better a complaint now than at somebody's request.
      for (const { key, value } of uploads.getRange({ limit: UPLOADS_MAX })) {
        if (alone && value.claim !== undefined) uploads.putSync(key, { ...value, claim: undefined });
      }
      for (const _ of parts.getRange({ limit: PARTS_MAX }));
    });

    return createUploadRegistry({
      uploads: lmdbTable(uploads),
      completed: lmdbTable(completed),
      parts: {
        get: (id, number) => parts.get([id, number]),
        put: (id, part) => parts.put([id, part.number], part),
        after: (id, number, max) =>
          [...parts.getRange({ start: [id, number + 1], end: [id, Infinity], limit: max })].map(({ value }) => value),
        removeAll(id) {
          for (const key of [...parts.getKeys({ start: [id, 0], end: [id, Infinity] })]) parts.remove(key);
        },
      },
      due: {
        add: ({ kind, atMs, bucket, id }) => due.put([kind, atMs, bucket, id], true),
        remove: ({ kind, atMs, bucket, id }) => due.remove([kind, atMs, bucket, id]),
        first: (kind, max) =>
          [...due.getKeys({ start: [kind, 0, '', ''], end: [kind, Infinity, '', ''], limit: max })].map(
            ([, atMs, bucket, id]) => ({ kind, atMs, bucket, id }),
          ),
      },
      count: (what) => meta.get(what) ?? 0,
      addCount: (what, by) => meta.put(what, (meta.get(what) ?? 0) + by),
      async read(work) {
        // Also what another process has written since.
        root.resetReadTxn();
        return work();
      },
      write: (work) => root.childTransaction(work),
      close: () => root.close(),
    });
  });
}

function lmdbTable<Row>(rows: Database<Row, RowKey>): UploadTable<Row> {
  return {
    get: (bucket, id) => rows.get([bucket, id]),
    put: (bucket, id, row) => rows.put([bucket, id], row),
    remove: (bucket, id) => rows.remove([bucket, id]),
    ofBucket: (bucket) => [...rows.getRange({ start: [bucket, ''], end: [bucket, BEHIND] })].map(({ value }) => value),
  };
}

/** Says in one line which folder is at fault, and what can be done. */
function explained<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new Error(`${folder}, where unfinished multipart uploads are kept, cannot be used: ${why}`, { cause: error });
  }
}
