import { randomBytes } from 'node:crypto';
import {
  COMPLETED_MAX,
  type CompletedRecord,
  PARTS_MAX,
  type PartRecord,
  type RemoveOutcome,
  UPLOADS_MAX,
  type UploadRecord,
  type UploadRegistry,
} from './uploads.ts';

export interface UploadRow extends UploadRecord {
  readonly partCount: number;
  readonly claim: Claim | undefined;
}

interface Claim {
  readonly token: string;
  readonly leaseMs: number;
  readonly untilMs: number;
}

export interface CompletedRow {
  readonly completed: CompletedRecord;
  readonly untilMs: number;
}

/** What ends by itself, and when. */
export interface Due {
  readonly atMs: number;
  readonly kind: 'upload' | 'completed';
  readonly bucket: string;
  readonly id: string;
}

/** Rows by bucket and upload. */
export interface UploadTable<Row> {
  get(bucket: string, id: string): Row | undefined;
  put(bucket: string, id: string, row: Row): void;
  remove(bucket: string, id: string): void;
  ofBucket(bucket: string): readonly Row[];
}

export type Counted = 'uploads' | 'parts' | 'completed';

/** Where the rows of one process or one machine are. Everything in it is synchronous, inside of `read` or `write`. */
export interface UploadTables {
  readonly uploads: UploadTable<UploadRow>;
  readonly completed: UploadTable<CompletedRow>;
  readonly parts: {
    get(id: string, number: number): PartRecord | undefined;
    put(id: string, part: PartRecord): void;
    /** In order, those behind a number. */
    after(id: string, number: number, max: number): readonly PartRecord[];
    removeAll(id: string): void;
  };
  readonly due: {
    add(due: Due): void;
    remove(due: Due): void;
    /** The first ones of a kind, the earliest first. */
    first(kind: Due['kind'], max: number): readonly Due[];
  };
  count(what: Counted): number;
  addCount(what: Counted, by: number): void;
  read<T>(work: () => T): Promise<T>;
  /** All of it or nothing, with nobody in between; kept when it resolves. */
  write<T>(work: () => T): Promise<T>;
  close(): Promise<void>;
}

/** How many expired uploads and answers one call that writes removes with what it does. */
const SWEEP_MAX = 8;

/** What the registry of one machine does, over whatever tables. */
export function createUploadRegistry(tables: UploadTables): UploadRegistry {
  const { uploads, completed, parts, due } = tables;

  const isClaimed = ({ claim }: UploadRow): boolean => {
    if (claim === undefined) return false;
    const leftMs = claim.untilMs - Date.now();
    // One that has more time left than it was given is of a clock that was set back since.
    return leftMs > 0 && leftMs <= claim.leaseMs;
  };

  const claimOf = (token: string, leaseMs: number): Claim => ({ token, leaseMs, untilMs: Date.now() + leaseMs });

  const live = (bucket: string, id: string): UploadRow | undefined => {
    const row = uploads.get(bucket, id);
    return row === undefined || (row.expiresMs <= Date.now() && !isClaimed(row)) ? undefined : row;
  };

  const held = (bucket: string, id: string, token: string): UploadRow | undefined => {
    const row = uploads.get(bucket, id);
    return row?.claim?.token === token ? row : undefined;
  };

  const removeUpload = ({ bucket, id, expiresMs, partCount }: UploadRow): readonly string[] => {
    const fileSetIds = parts.after(id, 0, partCount).map(({ fileSetId }) => fileSetId);
    parts.removeAll(id);
    uploads.remove(bucket, id);
    due.remove({ atMs: expiresMs, kind: 'upload', bucket, id });
    tables.addCount('uploads', -1);
    tables.addCount('parts', -partCount);
    return fileSetIds;
  };

  const removeCompleted = ({ bucket, id, atMs }: Due): void => {
    completed.remove(bucket, id);
    due.remove({ atMs, kind: 'completed', bucket, id });
    tables.addCount('completed', -1);
  };

  /** The file sets of an upload that has expired end by themselves, at the same time. */
  const sweep = (): void => {
    const nowMs = Date.now();
    for (const { atMs, bucket, id } of due.first('upload', SWEEP_MAX)) {
      const row = uploads.get(bucket, id);
      if (atMs <= nowMs && row !== undefined && !isClaimed(row)) removeUpload(row);
    }
    for (const one of due.first('completed', SWEEP_MAX)) if (one.atMs <= nowMs) removeCompleted(one);
  };

  const write = <T>(work: () => T): Promise<T> =>
    tables.write(() => {
      sweep();
      return work();
    });

  return {
    create: (upload) =>
      write(() => {
        if (tables.count('uploads') >= UPLOADS_MAX) return 'full';
        const { bucket, id, expiresMs } = upload;
        uploads.put(bucket, id, { ...upload, partCount: 0, claim: undefined });
        due.add({ atMs: expiresMs, kind: 'upload', bucket, id });
        tables.addCount('uploads', 1);
        return 'created';
      }),

    get: (bucket, id) =>
      tables.read(() => {
        const row = live(bucket, id);
        return row === undefined ? undefined : recordOf(row);
      }),

    list: (bucket) =>
      tables.read(() => {
        const nowMs = Date.now();
        return uploads
          .ofBucket(bucket)
          .filter(({ expiresMs }) => expiresMs > nowMs)
          .map(recordOf);
      }),

    putPart: (bucket, id, part) =>
      write(() => {
        const row = live(bucket, id);
        if (row === undefined) return { kind: 'none' };
        const before = parts.get(id, part.number);
        if (before === undefined) {
          if (tables.count('parts') >= PARTS_MAX) return { kind: 'full' };
          uploads.put(bucket, id, { ...row, partCount: row.partCount + 1 });
          tables.addCount('parts', 1);
        }
        parts.put(id, part);
        return { kind: 'put', replacedFileSetId: isClaimed(row) ? undefined : before?.fileSetId };
      }),

    parts: (bucket, id, afterNumber, max) =>
      tables.read(() => (live(bucket, id) === undefined ? undefined : parts.after(id, afterNumber, max))),

    claim: (bucket, id, leaseMs) =>
      write(() => {
        const before = completed.get(bucket, id);
        if (before !== undefined && before.untilMs > Date.now()) {
          return { kind: 'completed', completed: before.completed };
        }
        const row = live(bucket, id);
        if (row === undefined) return { kind: 'none' };
        if (isClaimed(row)) return { kind: 'busy' };
        const token = randomBytes(12).toString('base64url');
        uploads.put(bucket, id, { ...row, claim: claimOf(token, leaseMs) });
        return { kind: 'claimed', claim: token };
      }),

    renew: (bucket, id, token, leaseMs) =>
      write(() => {
        const row = held(bucket, id, token);
        if (row !== undefined) uploads.put(bucket, id, { ...row, claim: claimOf(token, leaseMs) });
      }),

    release: (bucket, id, token) =>
      write(() => {
        const row = held(bucket, id, token);
        if (row !== undefined) uploads.put(bucket, id, { ...row, claim: undefined });
      }),

    complete: (bucket, id, token, record, keepMs) =>
      write(() => {
        const row = held(bucket, id, token);
        if (row === undefined) return [];
        const fileSetIds = removeUpload(row);
        const [oldest] = tables.count('completed') >= COMPLETED_MAX ? due.first('completed', 1) : [];
        if (oldest !== undefined) removeCompleted(oldest);
        const untilMs = Date.now() + keepMs;
        completed.put(bucket, id, { completed: record, untilMs });
        due.add({ atMs: untilMs, kind: 'completed', bucket, id });
        tables.addCount('completed', 1);
        return fileSetIds;
      }),

    remove: (bucket, id) =>
      write((): RemoveOutcome => {
        const row = live(bucket, id);
        if (row === undefined) return { kind: 'none' };
        return isClaimed(row) ? { kind: 'busy' } : { kind: 'removed', fileSetIds: removeUpload(row) };
      }),

    close: () => tables.close(),
  };
}

function recordOf({ id, bucket, key, initiatedMs, expiresMs, checksum }: UploadRow): UploadRecord {
  return { id, bucket, key, initiatedMs, expiresMs, ...(checksum === undefined ? {} : { checksum }) };
}
