import { type Counted, createUploadRegistry, type Due, type UploadTable } from './upload-rules.ts';
import type { PartRecord, UploadRegistry } from './uploads.ts';

/** The registry of a single worker that has no data folder: it ends with the worker. */
export function createMemoryUploads(): UploadRegistry {
  const parts = new Map<string, Map<number, PartRecord>>();
  const counts: Record<Counted, number> = { uploads: 0, parts: 0, completed: 0 };
  // All of a kind live equally long, so the first that came is the first that ends.
  const due: Record<Due['kind'], Map<string, Due>> = { upload: new Map(), completed: new Map() };

  return createUploadRegistry({
    uploads: memoryTable(),
    completed: memoryTable(),
    parts: {
      get: (id, number) => parts.get(id)?.get(number),
      put(id, part) {
        const ofUpload = parts.get(id) ?? new Map<number, PartRecord>();
        parts.set(id, ofUpload.set(part.number, part));
      },
      after: (id, number, max) =>
        [...(parts.get(id)?.values() ?? [])]
          .filter((part) => part.number > number)
          .sort((a, b) => a.number - b.number)
          .slice(0, max),
      removeAll: (id) => parts.delete(id),
    },
    due: {
      add: (one) => due[one.kind].set(`${one.bucket} ${one.id}`, one),
      remove: (one) => due[one.kind].delete(`${one.bucket} ${one.id}`),
      first(kind, max) {
        const found: Due[] = [];
        for (const one of due[kind].values()) if (found.push(one) >= max) break;
        return found;
      },
    },
    count: (what) => counts[what],
    addCount: (what, by) => {
      counts[what] += by;
    },
    read: async (work) => work(),
    write: async (work) => work(),
    close: () => Promise.resolve(),
  });
}

function memoryTable<Row>(): UploadTable<Row> {
  const buckets = new Map<string, Map<string, Row>>();
  return {
    get: (bucket, id) => buckets.get(bucket)?.get(id),
    put(bucket, id, row) {
      const rows = buckets.get(bucket) ?? new Map<string, Row>();
      buckets.set(bucket, rows.set(id, row));
    },
    remove(bucket, id) {
      const rows = buckets.get(bucket);
      rows?.delete(id);
      if (rows?.size === 0) buckets.delete(bucket);
    },
    ofBucket: (bucket) => [...(buckets.get(bucket)?.values() ?? [])],
  };
}
