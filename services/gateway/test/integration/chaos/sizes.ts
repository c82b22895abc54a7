import { createHash } from 'node:crypto';
import { encode, type SendOptions, send } from '../../support/http.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;

/**
 * Where the ways part that bytes take: what is kept whole (256 KiB), what waits in memory and has a hash that tusk knows (1,000,000
 * bytes), the largest message that pachd takes (4 MiB) and the largest that it gives (19 MiB).
 */
const BOUNDARIES_BYTES = [256 * KIB, 1_000_000, 4 * MIB, 19 * MIB];

/** The smallest objects, the boundaries, one byte less and one more, and one of more than one message. */
export const SIZES_BYTES = [0, 1, ...BOUNDARIES_BYTES.flatMap((bytes) => [bytes - 1, bytes, bytes + 1]), 20 * MIB + 1];

/** Ranges of an object that touch its ends and every boundary in it, as first and last byte. */
export function rangesOf(sizeBytes: number): readonly (readonly [first: number, last: number])[] {
  if (sizeBytes === 0) return [];
  const end = sizeBytes - 1;
  const around = BOUNDARIES_BYTES.filter((bytes) => bytes <= end).map(
    (bytes) => [bytes - 1, Math.min(bytes + 1, end)] as const,
  );
  return [[0, 0], [end, end], [Math.max(0, end - 1_000), end], ...around];
}

export interface Store {
  put(key: string, content: Uint8Array): Promise<string>;
  get(
    key: string,
    range?: string,
  ): Promise<{ readonly digest: string; readonly etag: string; readonly sizeBytes: number }>;
  headOf(key: string): Promise<{ readonly etag: string; readonly sizeBytes: number }>;
  copy(source: string, key: string): Promise<string>;
  /** Uploads an object in parts, in the order they are given; of several with one number the last one counts. */
  upload(key: string, parts: readonly Part[]): Promise<string>;
  listEtags(): Promise<ReadonlyMap<string, string>>;
}

/** Bytes of its own, or a range of another object. */
type PartSource = Uint8Array | { readonly source: string; readonly first: number; readonly last: number };
type Part = readonly [number: number, source: PartSource];

export function digestOf(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** A bucket as the tests use it. Every answer that is no success throws. */
export function storeOf(url: string, bucket: string): Store {
  const ask = async (method: string, path: string, options: SendOptions = {}, expected = 200) => {
    const answer = await send(url, method, `/${bucket}${path}`, options);
    if (answer.status !== expected) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer;
  };
  const copySource = (key: string) => encode(`/${bucket}/${key}`);
  const etagIn = (xml: string) => (/<ETag>([^<]*)<\/ETag>/.exec(xml)?.[1] ?? '').replace(/&quot;|&#34;/g, '"');

  async function putPart(path: string, number: number, uploadId: string, part: PartSource): Promise<string> {
    const query = [['partNumber', String(number)] as const, ['uploadId', uploadId] as const];
    if (part instanceof Uint8Array) {
      const answer = await ask('PUT', path, { query, body: part });
      return answer.headers['etag'] ?? '';
    }
    const headers = {
      'x-amz-copy-source': copySource(part.source),
      'x-amz-copy-source-range': `bytes=${part.first}-${part.last}`,
    };
    return etagIn((await ask('PUT', path, { query, headers })).text);
  }

  return {
    put: async (key, content) => (await ask('PUT', `/${key}`, { body: content })).headers['etag'] ?? '',
    async get(key, range) {
      const headers = range === undefined ? {} : { range };
      const { body, headers: got } = await ask('GET', `/${key}`, { headers }, range === undefined ? 200 : 206);
      return { digest: digestOf(body), etag: got['etag'] ?? '', sizeBytes: body.length };
    },
    async headOf(key) {
      const { headers } = await ask('HEAD', `/${key}`);
      return { etag: headers['etag'] ?? '', sizeBytes: Number(headers['content-length']) };
    },
    copy: async (source, key) =>
      etagIn((await ask('PUT', `/${key}`, { headers: { 'x-amz-copy-source': copySource(source) } })).text),
    async upload(key, parts) {
      const begun = await ask('POST', `/${key}`, { query: [['uploads', null]] });
      const uploadId = /<UploadId>([^<]*)</.exec(begun.text)?.[1] ?? '';
      const etags = new Map<number, string>();
      for (const [number, source] of parts) etags.set(number, await putPart(`/${key}`, number, uploadId, source));
      const named = [...etags]
        .sort(([a], [b]) => a - b)
        .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
      const body = `<CompleteMultipartUpload>${named.join('')}</CompleteMultipartUpload>`;
      return etagIn((await ask('POST', `/${key}`, { query: [['uploadId', uploadId]], body })).text);
    },
    async listEtags() {
      const { text } = await ask('GET', '', { query: [['list-type', '2']] });
      const entries = [...text.matchAll(/<Key>([^<]*)<\/Key>.*?<ETag>([^<]*)<\/ETag>/gs)];
      return new Map(entries.map(([, key = '', etag = '']) => [key, etag.replace(/&quot;|&#34;/g, '"')]));
    },
  };
}
