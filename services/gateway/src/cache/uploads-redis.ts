import { randomBytes } from 'node:crypto';
import type { Script, Scripts, ScriptValue } from './script.ts';
import { createSeal } from './seal.ts';
import type { CompletedRecord, PartRecord, RemoveOutcome, UploadRecord, UploadRegistry } from './uploads.ts';
import {
  CLAIM,
  COMPLETE,
  CREATE,
  GET,
  KEYS,
  LIST,
  PARTS,
  PUT_PART,
  RELEASE,
  REMOVE,
  RENEW,
} from './uploads-scripts.ts';

/**
 * The registry of a fleet. UPLOADS_MAX, PARTS_MAX and COMPLETED_MAX are of each bucket here: what is in two buckets may be on two
 * servers. Times are the server's: an upload lives as long as its record says, from when it was created. What it answered is kept as
 * far as Redis keeps what a replica has confirmed; what does not open was put there by somebody else, and is not there.
 * Each call throws CacheLost when it is not known whether it was done.
 */
export function createRedisUploads(scripts: Scripts, cacheSecret: string): UploadRegistry {
  const seal = createSeal(cacheSecret, 'uploads');

  const run = (script: Script, bucket: string, id: string, values: readonly ScriptValue[] = []): Promise<unknown> =>
    scripts.run(script, `uploads.${seal.name(bucket)}`, [...KEYS, `parts:${id}`], [id, ...values]);

  const sealed = (value: unknown, ...place: readonly (string | number)[]): Buffer =>
    seal.seal(Buffer.from(JSON.stringify(value)), place.join(' '));

  const opened = <T>(bytes: unknown, ...place: readonly (string | number)[]): T | undefined => {
    const plain = bytes instanceof Uint8Array ? seal.open(bytes, place.join(' ')) : undefined;
    // Only who has the secret can have sealed it: it is what was put in.
    return plain && (JSON.parse(plain.toString()) as T);
  };

  /** A record, after its time and a space. */
  const recordOf = (bucket: string, id: string, bytes: unknown): UploadRecord | undefined =>
    bytes instanceof Uint8Array ? opened(bytes.subarray(bytes.indexOf(0x20) + 1), 'record', bucket, id) : undefined;

  const partOf = (bucket: string, id: string, number: number, bytes: unknown): PartRecord | undefined =>
    opened(bytes, 'part', bucket, id, number);

  const fileSetIds = (bucket: string, id: string, partsAndNumbers: readonly unknown[]): readonly string[] =>
    pairsOf(partsAndNumbers).flatMap(([bytes, number]) => {
      const part = partOf(bucket, id, Number(number), bytes);
      return part === undefined ? [] : [part.fileSetId];
    });

  return {
    async create(upload) {
      const { bucket, id, initiatedMs, expiresMs } = upload;
      const record = sealed(upload, 'record', bucket, id);
      return (await run(CREATE, bucket, id, [expiresMs - initiatedMs, record])) === 1 ? 'created' : 'full';
    },

    get: async (bucket, id) => recordOf(bucket, id, await run(GET, bucket, id)),

    async list(bucket) {
      return pairsOf(await run(LIST, bucket, '')).flatMap(([id, record]) => {
        const upload = recordOf(bucket, String(id), record);
        return upload === undefined ? [] : [upload];
      });
    },

    async putPart(bucket, id, part) {
      const bytes = sealed(part, 'part', bucket, id, part.number);
      const [kind, before] = listOf(await run(PUT_PART, bucket, id, [part.number, bytes]));
      const outcome = oneOf(kind, ['put', 'none', 'full']);
      if (outcome !== 'put') return { kind: outcome };
      return { kind: 'put', replacedFileSetId: partOf(bucket, id, part.number, before)?.fileSetId };
    },

    async parts(bucket, id, afterNumber, max) {
      const page = await run(PARTS, bucket, id, [afterNumber, max]);
      if (page === null) return undefined;
      return pairsOf(page).flatMap(([number, bytes]) => {
        const part = partOf(bucket, id, Number(number), bytes);
        return part === undefined ? [] : [part];
      });
    },

    async claim(bucket, id, leaseMs) {
      const claim = randomBytes(12).toString('base64url');
      const [kind, answer] = listOf(await run(CLAIM, bucket, id, [claim, leaseMs]));
      const outcome = oneOf(kind, ['claimed', 'busy', 'completed', 'none']);
      if (outcome === 'claimed') return { kind: outcome, claim };
      if (outcome !== 'completed') return { kind: outcome };
      const completed = opened<CompletedRecord>(answer, 'answer', bucket, id);
      return completed === undefined ? { kind: 'none' } : { kind: 'completed', completed };
    },

    async renew(bucket, id, claim, leaseMs) {
      await run(RENEW, bucket, id, [claim, leaseMs]);
    },

    async release(bucket, id, claim) {
      await run(RELEASE, bucket, id, [claim]);
    },

    async complete(bucket, id, claim, completed, keepMs) {
      const answer = sealed(completed, 'answer', bucket, id);
      return fileSetIds(bucket, id, listOf(await run(COMPLETE, bucket, id, [claim, answer, keepMs])));
    },

    async remove(bucket, id): Promise<RemoveOutcome> {
      const [kind, found] = listOf(await run(REMOVE, bucket, id));
      const outcome = oneOf(kind, ['removed', 'busy', 'none']);
      return outcome === 'removed'
        ? { kind: outcome, fileSetIds: fileSetIds(bucket, id, listOf(found)) }
        : { kind: outcome };
    },

    // The connection is others', too.
    close: () => Promise.resolve(),
  };
}

/** @throws Error when a script's answer is none of those that it gives */
function oneOf<const T extends string>(answer: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === String(answer));
  if (found === undefined) throw new Error(`the registry in Redis answers ${String(answer)}`);
  return found;
}

function listOf(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw new Error('the registry in Redis answers something else than a list');
  return answer;
}

function pairsOf(answer: unknown): readonly (readonly [unknown, unknown])[] {
  const flat = listOf(answer);
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]] as const);
}
